import fc from 'fast-check'
import { describe, test } from 'vitest'
import { drawn } from '../../record/test/campaign-scale.ts'
import type { LogSnapshot } from '../src/log-snapshot.ts'
import { nodeFileSystem } from '../src/storage/node-file-system.ts'
import {
  ManualClock,
  makeTemporaryDirectory,
  Random,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '../src/testing/index.ts'
import { checkPromises, promise, readLog } from './crash/check-log.ts'
import { DirectoryLedger } from './crash/ledger.ts'
import { Life } from './crash/life.ts'

// Random work on one log, compared after every step with what the ledger says that it must hold.

const name = 't-0'
const log = { segmentBytes: 800, indexIntervalBytes: 100, fileDeleteDelayMs: 50 }

const acks = fc.constantFrom('none', 'written', 'flushed')
const compressionType = fc.constantFrom('none', 'none', 'gzip', 'lz4')
const count = fc.integer({ min: 1, max: 6 })
const share = fc.double({ min: 0, max: 1, noNaN: true })
const producerId = fc.integer({ min: 1, max: 3 })

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('append'), count, acks, compressionType }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('batch'), count, acks, producerId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resend'), producerId }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('flush', 'roll', 'wait') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), share }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact'), from: share, to: share }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('snapshot', 'release') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reopen', 'kill', 'check') }) },
)

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** One life after the other on one directory. */
class Worker {
  readonly #life: Life
  readonly #kill: (life: Life) => Promise<void>
  readonly #random = new Random(1)
  readonly #sent = new Set<number>()
  #snapshot: LogSnapshot | null = null

  constructor(life: Life, kill: (life: Life) => Promise<void>) {
    this.#life = life
    this.#kill = kill
  }

  async do(step: Step): Promise<void> {
    const life = this.#life
    switch (step.kind) {
      case 'append':
        life.append(name, step.count, step)
        break
      case 'batch':
        this.#sent.add(step.producerId)
        life.appendBatch(name, step.count, step)
        break
      case 'resend':
        if (this.#sent.has(step.producerId)) life.resend(name, step.producerId)
        break
      case 'flush':
        await life.flush(name)
        break
      case 'roll':
        await life.roll(name)
        break
      case 'wait':
        life.clock.advance(100)
        break
      case 'delete':
        await this.#delete(step.share)
        break
      case 'compact':
        await this.#compact(step.from, step.to)
        break
      case 'snapshot':
        this.#snapshot ??= life.log(name).snapshot()
        break
      case 'release':
        this.#release()
        break
      default:
        await this.#restart(step.kind)
    }
  }

  /** Everything that was handed in is there, and nothing else, wherever one looks. */
  async check(): Promise<void> {
    const life = this.#life
    await settled(life)
    const opened = life.log(name)
    // Nobody waits for appends at 'none', and a disk takes its time over them.
    await opened.flush()
    const ledger = life.ledger.log(name)
    const found = await readLog(opened, this.#random)
    const expected = ledger.expectation(Number.MAX_SAFE_INTEGER, 'kill')
    if (expected === null) throw new Error('the ledger has the log')
    checkPromises(found, { ...expected, endMin: ledger.endOffset })
    for (const { path } of this.#snapshot?.segments ?? []) {
      promise(life.fs.stat(path) !== null, name, `${path} was pinned and is gone`)
    }
  }

  async close(): Promise<void> {
    this.#release()
    await settled(this.#life)
    await this.#life.close()
  }

  #release(): void {
    this.#snapshot?.release()
    this.#snapshot = null
  }

  async #delete(share: number): Promise<void> {
    await settled(this.#life)
    const { logStartOffset, highWatermark } = this.#life.log(name)
    const offset = logStartOffset + Math.floor(share * (highWatermark - logStartOffset))
    await this.#life.deleteBefore(name, offset)
  }

  async #compact(first: number, last: number): Promise<void> {
    await settled(this.#life)
    const opened = this.#life.log(name)
    const sealed = opened.segments().length - 1
    const from = Math.floor(Math.min(first, last) * sealed)
    const to = Math.ceil(Math.max(first, last) * sealed)
    if (to <= from || this.#snapshot !== null) return
    await this.#life.compact(name, { from, to, outputs: 1 + (to % 2) })
    // Its newest batch may be gone, and with it what there is to send again.
    this.#sent.clear()
  }

  async #restart(kind: 'reopen' | 'kill' | 'check'): Promise<void> {
    if (kind === 'check') return this.check()
    this.#release()
    await settled(this.#life)
    if (kind === 'reopen') await this.#life.close()
    else await this.#kill(this.#life)
    await this.#life.open()
  }
}

async function settled(life: Life): Promise<void> {
  await life.settle()
  // Appends that nobody waits for are written in the meantime.
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function work(worker: Worker, life: Life, steps: readonly Step[]): Promise<void> {
  await life.open()
  await life.create('t')
  for (const each of steps) await worker.do(each)
  await worker.check()
  await worker.close()
}

const seed = seedFromEnvironment('log-model.test.ts')

describe('a log does what its model does', () => {
  test('on the simulated file system, where processes are killed as well', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 0, max: 1000 }),
      async (steps, turnsSeed) => {
        const clock = new ManualClock()
        let fs = new SimulatedFileSystem({ clock, seed: turnsSeed, turnsMax: 2 })
        const ledger = new DirectoryLedger()
        const life = new Life({ fs, clock, ledger, operations: () => fs.operations, log })
        const worker = new Worker(life, async () => {
          fs = fs.fork()
          life.killed(fs)
        })
        await work(worker, life, steps)
        promise(fs.openFiles().length === 0, name, `left open: ${fs.openFiles()}`)
      },
    )
    await fc.assert(property, { seed, numRuns: drawn(60, 2000) })
  })

  test('on the real file system', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 60 }),
      async (steps) => {
        using temporary = makeTemporaryDirectory()
        const ledger = new DirectoryLedger()
        let now = 0
        const operations = (): number => {
          now += 1
          return now
        }
        const path = `${temporary.path}/data`
        const life = new Life({ fs: nodeFileSystem, path, ledger, operations, log })
        await work(new Worker(life, () => life.close()), life, steps)
      },
    )
    await fc.assert(property, { seed, numRuns: 8 })
  })
})
