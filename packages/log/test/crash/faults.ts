import { VarveError } from '@varve/record'
import { cleanShutdownFileName } from '../../src/storage/file-names.ts'
import type { Fault } from '../../src/testing/fault-plan.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Random } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'
import { existingPath, openAndCheck, type Scenario } from './campaign.ts'
import { BrokenPromiseError, promise } from './check-log.ts'
import { DirectoryLedger } from './ledger.ts'
import { Life } from './life.ts'

/** What can go wrong with a call, once or from then on. */
export const faultKinds: readonly Omit<Fault, 'after' | 'counting'>[] = [
  { kind: 'EIO' },
  { kind: 'EIO', isLasting: true },
  { kind: 'EIO', cache: 'dropped' },
  { kind: 'ENOSPC' },
  { kind: 'ENOSPC', isLasting: true },
  { kind: 'short' },
  { kind: 'short', isLasting: true },
]

interface World {
  readonly fs: SimulatedFileSystem
  readonly life: Life
  readonly ledger: DirectoryLedger
}

/** How many calls of the file system a scenario makes when nothing fails. */
export async function countCalls(scenario: Scenario, seed: number): Promise<number> {
  const { fs, life } = makeWorld(scenario, seed)
  await scenario.run(life)
  await life.settle()
  if (life.isOpen) await life.close()
  return fs.calls
}

/**
 * Runs a scenario in which the call number `after` fails, and checks what the caller is told, that
 * the failure sticks where it must, and that everything acknowledged is there when the directory is
 * opened again: by the next process, and after a power cut. Tells whether the fault fell on a call.
 */
export async function checkFault(scenario: Scenario, fault: Fault, seed: number): Promise<boolean> {
  const world = makeWorld(scenario, seed)
  const { fs, life } = world
  fs.injectFault({ ...fault, counting: 'calls' })
  const told = await untilQuiet(fs, async () => {
    const errors = await errorsOf(() => scenario.run(life))
    return [...errors, ...(await life.failures())]
  })
  for (const error of told) requireTyped(error)
  await checkSticking(world)
  if (fs.faultHits === 0) return false
  fs.clearFaults()
  const cannotKeepWritten = fault.cache === 'dropped'
  await checkAfterwards(world, scenario, { seed, cannotKeepWritten })
  return true
}

function makeWorld(scenario: Scenario, seed: number): World {
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed, turnsMax: 2 })
  if (scenario.path === undefined) fs.makeDirectories(existingPath)
  const ledger = new DirectoryLedger()
  const operations = (): number => fs.operations
  const life = new Life({ ...scenario, fs, clock, ledger, operations })
  return { fs, life, ledger }
}

/** What a log that failed promises: nothing more succeeds, and nobody takes it for closed. */
async function checkSticking({ fs, life }: World): Promise<void> {
  if (!life.isOpen) return
  const { directory } = life
  const logs = [...directory.logs.values()]
  const failed = logs.filter((log) => log.isFailed)
  const told = await untilQuiet(fs, async () => {
    const attempts = failed.flatMap((log) => [
      errorsOf(() => log.append({ value: 'too late' }, { acks: 'none' })),
      errorsOf(() => log.flush()),
      errorsOf(() => log.roll()),
      errorsOf(() => log.deleteSegmentsBefore(log.logStartOffset)),
    ])
    return Promise.all(attempts)
  })
  for (const errors of told) {
    promise(errors.length === 1, life.path, 'a call succeeded on a log whose storage had failed')
    for (const error of errors) requireTyped(error)
  }
  const closing = await untilQuiet(fs, () => errorsOf(() => directory.close()))
  for (const error of closing) requireTyped(error)
  const open = fs.openFiles()
  promise(open.length === 0, life.path, `files are open after closing: ${open}`)
  const isMarked = fs.tree().has(`${life.path}/${cleanShutdownFileName}`)
  // Closing can fail with the very last call, that which makes the marker durable.
  const isClean = logs.every((log) => !log.isFailed)
  promise(isClean || !isMarked, life.path, 'a failed log was marked as shut down cleanly')
}

async function checkAfterwards(
  { fs, ledger }: World,
  scenario: Scenario,
  { seed, cannotKeepWritten }: { readonly seed: number; readonly cannotKeepWritten: boolean },
): Promise<void> {
  const at = fs.operations
  const onPower = ledger.expectation(at, 'power')
  const onKill = cannotKeepWritten ? onPower : ledger.expectation(at, 'kill')
  const next = { random: new Random(seed), leaderEpoch: 50 }
  const harsh = { mode: 'harsh', seed } as const
  // One of them each time: there are faults enough.
  const variant = next.random.pick(['none', 'none', 'all', harsh] as const)
  const state = fs.crashState(at, variant)
  await openAndCheck(state, { expected: onPower, onPower }, scenario, next)
  const run = await openAndCheck(fs, { expected: onKill, onPower }, scenario, next)
  // Names that a failed flush of their directory gave up cannot be written again.
  const isNameLost = fs.journal.some(({ kind, path }) => {
    return kind === 'flushFailed' && fs.stat(path)?.isDirectory === true
  })
  if (isNameLost) return
  // The data that a failed flush gave up must have been written again.
  const later = run.expectation(fs.operations, 'power')
  const flushed = fs.crashState(fs.operations, 'none')
  const last = { random: next.random, leaderEpoch: 51 }
  await openAndCheck(flushed, { expected: later, onPower: later }, scenario, last)
}

async function errorsOf(action: () => Promise<unknown>): Promise<readonly unknown[]> {
  try {
    await action()
    return []
  } catch (error) {
    return [error]
  }
}

/** A program is told of failures in our words, with the system's as the cause. */
function requireTyped(error: unknown): void {
  if (error instanceof VarveError) return
  throw new BrokenPromiseError(`an untyped error: ${error}`, { cause: error })
}

/** Nothing in a simulation waits for time to pass: what has not ended after these turns hangs. */
const turnsMax = 500

async function untilQuiet<Result>(
  fs: SimulatedFileSystem,
  action: () => Promise<Result>,
): Promise<Result> {
  let isDone = false
  const done = action().finally(() => {
    isDone = true
  })
  done.catch(() => undefined)
  for (let turn = 0; turn < turnsMax && !isDone; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (!isDone) throw new BrokenPromiseError(`it hangs; open are ${fs.openFiles()}`)
  return done
}
