import { UnfinishedRestoreError } from '@varve/log'
import { isRestoreUnfinished, isSystemError } from '@varve/log/files'
import {
  type CrashVariant,
  crashVariants,
  describeVariant,
  type Fault,
  type Random,
  type SimulatedFileSystem,
} from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { expect } from 'vitest'
import { finishSwap, undoRestore } from '../../src/restoring/staged-swap.ts'
import { recordsOf, restoredPath, Scene, sourcePath } from './scene.ts'
import { appendCounted } from './source-topics.ts'

/** Work on a directory that is to be interrupted anywhere. */
export interface Interruptible {
  readonly name: string
  readonly path: string
  /** What comes before it. */
  prepare?(scene: Scene): Promise<void>
  run(scene: Scene): Promise<unknown>
}

const onlyOrders = (topic: string): boolean => topic === 'orders'
const chosen = { to: sourcePath, isInPlace: true, select: onlyOrders }

export const interruptibles: readonly Interruptible[] = [
  { name: 'into a new directory', path: restoredPath, run: (scene) => scene.restore() },
  {
    name: 'in place',
    path: sourcePath,
    run: (scene) => scene.restore({ to: sourcePath, isInPlace: true }),
  },
  {
    name: 'in place, of a chosen topic',
    path: sourcePath,
    run: (scene) => scene.restore(chosen),
  },
  {
    name: 'undone',
    path: sourcePath,
    prepare: async (scene) => {
      await scene.restore(chosen)
      await using directory = await scene.openSource()
      await directory.log('users', 0).append({ value: 'since' })
    },
    run: (scene) => undoRestore(scene.fs, sourcePath),
  },
]

/** What is in a data directory, for comparing: every record; null where there is none. */
type State = string | null

/** A restore that can be interrupted anywhere, and what there was before and is afterwards. */
export class Interruption {
  readonly #work: Interruptible
  readonly #scene: Scene
  readonly #before: State
  readonly #after: State
  readonly #random: Random

  private constructor(
    work: Interruptible,
    scene: Scene,
    states: readonly [State, State],
    random: Random,
  ) {
    this.#work = work
    this.#scene = scene
    this.#random = random
    const [before, after] = states
    this.#before = before
    this.#after = after
  }

  static async make(work: Interruptible, random: Random): Promise<Interruption> {
    const scene = await Scene.make()
    const source = await scene.openSource()
    await appendCounted(await source.createLog('orders', 0), random, 12)
    await appendCounted(await source.createLog('users', 0), random, 3)
    await scene.backUp(source)
    await appendCounted(source.log('orders', 0), random, 4)
    await source.close()
    await work.prepare?.(scene)
    scene.fs.settle()
    const before = await stateOf(scene.fs.fork(), scene, work.path)
    const whole = await scene.after(scene.fs.fork())
    await work.run(whole)
    const after = await stateOf(whole.fs, scene, work.path)
    expect(after).not.toEqual(before)
    return new Interruption(work, scene, [before, after], random)
  }

  /** Cuts the power, or kills the process, after each of its operations. */
  async crashEverywhere(variants: number, share: number): Promise<number> {
    const { fs } = await this.#runOn(this.#scene.fs.fork())
    let states = 0
    for (let at = 0; at <= fs.operations; at++) {
      const crashes: Array<CrashVariant | 'kill'> = [
        ...crashVariants(this.#random, variants),
        'kill',
      ]
      for (const crash of crashes) {
        if (!this.#random.bool(share)) continue
        const left = crash === 'kill' ? fs.killState(at) : fs.crashState(at, crash)
        const how = crash === 'kill' ? 'killed' : describeVariant(crash)
        await this.#examine(left, `${this.#work.name}, operation ${at}, ${how}`)
        states++
      }
    }
    return states
  }

  /** Lets each of its calls fail. */
  async failEverywhere(fault: Fault, share: number): Promise<number> {
    const whole = await this.#runOn(this.#scene.fs.fork())
    let hits = 0
    for (let after = 0; after < whole.fs.calls; after++) {
      if (!this.#random.bool(share)) continue
      const { fs } = await this.#scene.after(this.#scene.fs.fork())
      // Opening the repository has made calls of its own.
      const scene = await this.#scene.after(fs)
      fs.injectFault({ ...fault, after, counting: 'calls' })
      const error = await this.#work.run(scene).then(
        () => null,
        (reason: unknown) => reason,
      )
      if (fs.faultHits === 0) continue
      hits++
      const where = `${this.#work.name}, ${fault.kind} at call ${after}`
      const isTold =
        error === null || error instanceof VarveError || isSystemError(error, fault.kind)
      if (!isTold) throw new Error(`${where} was not told as what it is`, { cause: error })
      fs.clearFaults()
      // Whoever is told that it is done has it, also when the power goes right then.
      const left = error === null ? fs.crashState(fs.operations, 'none') : fs.fork()
      await this.#examine(left, where, error === null)
    }
    return hits
  }

  /** Whoever opens it without knowing of restores has one of the two whole, or is refused. */
  async #openAsItIs(left: SimulatedFileSystem): Promise<void> {
    const { path } = this.#work
    const here = await this.#scene.after(left)
    if (left.stat(path) === null && !isRestoreUnfinished(left, path)) {
      if (this.#before !== null) throw new Error('there is nothing')
      return
    }
    try {
      await (await here.open(path)).close()
    } catch (error) {
      if (error instanceof UnfinishedRestoreError) return
      throw error
    }
    const found = await stateOf(left, this.#scene, path)
    if (found !== this.#before && found !== this.#after) {
      throw new Error(`opened as it is, neither is there: ${found}`)
    }
  }

  async #runOn(fs: SimulatedFileSystem): Promise<Scene> {
    fs.settle()
    const scene = await this.#scene.after(fs)
    await this.#work.run(scene)
    return scene
  }

  /** One of the two is there whole, and the work can be done again. */
  async #examine(left: SimulatedFileSystem, where: string, isDone = false): Promise<void> {
    const { path } = this.#work
    try {
      await this.#openAsItIs(left.fork())
      await finishSwap(left, path)
      const found = await stateOf(left.fork(), this.#scene, path)
      const isBefore = found === this.#before && !isDone
      if (!isBefore && found !== this.#after) throw new Error(`neither is there: ${found}`)
      if (!isBefore) return
      const again = await this.#scene.after(left)
      await this.#work.run(again)
      const after = await stateOf(left, this.#scene, path)
      if (after !== this.#after) throw new Error(`done again it is not as it should be: ${after}`)
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
    }
  }
}

async function stateOf(fs: SimulatedFileSystem, scene: Scene, path: string): Promise<State> {
  if (fs.stat(path) === null) return null
  const here = await scene.after(fs)
  const findings = await here.findingsIn(path)
  await using directory = await here.open(path)
  const logs = [...directory.logs.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const records: unknown[] = []
  for (const log of logs) {
    records.push([log.name, log.logStartOffset, log.logEndOffset, await recordsOf(log)])
  }
  const failures = [...directory.failures].map(([name, error]) => [name, error.message])
  const complaints = findings.map(({ path: file, message }) => [file, message])
  return JSON.stringify([records, failures, complaints])
}
