import { createHash } from 'node:crypto'
import type { LogOptions } from '../../src/base/log-options.ts'
import {
  type CrashVariant,
  crashVariants,
  describeVariant,
} from '../../src/testing/crash-variant.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Random } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'
import { checkFiles } from './check-files.ts'
import {
  BrokenPromiseError,
  checkPromises,
  checkResending,
  promise,
  type ReadLog,
  readLog,
} from './check-log.ts'
import { type DirectoryExpectation, DirectoryLedger, type Ending, LogLedger } from './ledger.ts'
import { Life } from './life.ts'

/** Work on a data directory, to be cut off at every moment. */
export interface Scenario {
  readonly name: string
  readonly log?: LogOptions
  readonly openFilesMax?: number
  /**
   * Of the data directory, if it is to be made by the scenario; default: a directory that exists.
   */
  readonly path?: string
  /** Begins with the directory not open; may leave it open. */
  run(life: Life): Promise<void>
}

export interface CampaignOptions {
  readonly seed: number
  /** Random ways to lose what was not flushed, for each moment. */
  readonly variants: number
  /** How many crash states are themselves opened and crashed at every operation of that. */
  readonly nested: number
  /** Open only about so many of the states, drawn at random; default: all. */
  readonly states?: number
}

export interface CampaignCounts {
  /** Moments × ways to crash. */
  generated: number
  /** Of different content, obligations aside. */
  distinct: number
  /** By how many crashes came before the one that led there: 0, 1, 2. */
  readonly byDepth: number[]
  operations: number
}

/** A run that can be crashed anywhere, and what must be found then. */
interface Run {
  readonly fs: SimulatedFileSystem
  readonly firstOperation: number
  expectation(at: number, ending: Ending): DirectoryExpectation
}

interface Crash {
  readonly at: number
  readonly ending: Ending
  readonly variant: CrashVariant | null
  readonly lastWriteBytes: number | undefined
}

const depthMax = 2
/** Above every scenario's; each crash is followed by a leader of its own. */
const laterEpoch = 50
export const existingPath = '/data'

/**
 * Runs a scenario once, and then opens what each possible crash would have left: after every
 * operation of the file system, with what was not flushed lost, kept, torn and reordered; and after
 * some of these, again, with the crash in the middle of the opening.
 */
export class Campaign {
  readonly #scenario: Scenario
  readonly #options: CampaignOptions
  readonly #random: Random
  /** What was found in each distinct state, to be compared with later obligations. */
  readonly #seen = new Map<string, ReadonlyMap<string, ReadLog>>()
  readonly counts: CampaignCounts = { generated: 0, distinct: 0, byDepth: [0, 0, 0], operations: 0 }

  constructor(scenario: Scenario, options: CampaignOptions) {
    this.#scenario = scenario
    this.#options = options
    this.#random = new Random(options.seed)
  }

  /**
   * One round: the scenario with flushes and other waiting calls ending in an order of their own,
   * crashed everywhere. Later rounds find states that earlier ones did not.
   */
  async run(): Promise<CampaignCounts> {
    const seed = this.#random.state
    const run = await runScenario(this.#scenario, this.#random.next())
    this.counts.operations += run.fs.operations
    await this.#crashEverywhere(run, 0, `${this.#scenario.name} (round of state ${seed})`)
    return this.counts
  }

  async #crashEverywhere(run: Run, depth: number, trail: string): Promise<void> {
    const random = this.#random
    const last = run.fs.operations
    const moments = last - run.firstOperation + 1
    // Spread over the moments; the variant is drawn.
    const nestedShare = this.#options.nested / 3 ** depth / moments
    const perMoment = this.#options.variants + 5
    const share = Math.min(
      1,
      (this.#options.states ?? Number.POSITIVE_INFINITY) / moments / perMoment,
    )
    for (let at = run.firstOperation; at <= last; at += 1) {
      const crashes = this.#crashesAt(run, at, depth)
      const chosen = depth < depthMax && random.bool(nestedShare) ? random.pick(crashes) : null
      for (const crash of crashes) {
        if (crash !== chosen && !random.bool(share)) continue
        const place = `${trail} → ${describeCrash(run.fs, crash)}`
        await this.#examine(run, crash, { depth, place, isNested: crash === chosen })
      }
    }
  }

  #crashesAt(run: Run, at: number, depth: number): readonly Crash[] {
    const variants = crashVariants(this.#random, Math.ceil(this.#options.variants / 2 ** depth))
    const crashes: Crash[] = variants.map((variant) => {
      return { at, ending: 'power', variant, lastWriteBytes: undefined }
    })
    crashes.push({ at, ending: 'kill', variant: null, lastWriteBytes: undefined })
    const last = run.fs.journal[at - 1]
    if (last?.kind === 'write' && at > run.firstOperation) {
      const lastWriteBytes = this.#random.int(last.bytes.length)
      crashes.push({ at, ending: 'kill', variant: null, lastWriteBytes })
    }
    return crashes
  }

  async #examine(
    run: Run,
    crash: Crash,
    { depth, place, isNested }: { depth: number; place: string; isNested: boolean },
  ): Promise<void> {
    const fs = stateOf(run.fs, crash)
    // The write that was torn was not finished, nor anything that came of it.
    const at = crash.lastWriteBytes === undefined ? crash.at : crash.at - 1
    const expected = run.expectation(at, crash.ending)
    // What a killed process leaves can lose its power before it is recovered.
    const onPower = run.expectation(at, 'power')
    this.counts.generated += 1
    const identity = identityOf(fs)
    const seen = this.#seen.get(identity)
    try {
      if (seen !== undefined) checkDirectory(seen, expected)
      if (seen !== undefined && !isNested) return
      const life = { random: this.#random.fork(), leaderEpoch: laterEpoch + depth }
      const next = await openAndCheck(fs, { expected, onPower }, this.#scenario, life)
      if (seen === undefined) {
        this.#seen.set(identity, next.found)
        this.counts.distinct += 1
        this.counts.byDepth[depth] = (this.counts.byDepth[depth] ?? 0) + 1
      }
      if (isNested) await this.#crashEverywhere(next, depth + 1, place)
    } catch (error) {
      if (error instanceof BrokenPromiseError && error.message.includes(' → ')) throw error
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      const replay = `VARVE_SEED=${this.#options.seed}`
      throw new BrokenPromiseError(`${replay} ${place}\n${reason}`, { cause: error })
    }
  }
}

async function runScenario(scenario: Scenario, seed: number): Promise<Run> {
  const clock = new ManualClock()
  const fs = new SimulatedFileSystem({ clock, seed, turnsMax: 3 })
  if (scenario.path === undefined) fs.makeDirectories(existingPath)
  const ledger = new DirectoryLedger()
  const operations = () => fs.operations
  const path = scenario.path ?? existingPath
  const life = new Life({ ...scenario, fs, clock, ledger, operations, path })
  await scenario.run(life)
  await life.settle()
  const firstOperation = 0
  return { fs, firstOperation, expectation: (at, ending) => ledger.expectation(at, ending) }
}

function stateOf(
  fs: SimulatedFileSystem,
  { at, variant, lastWriteBytes }: Crash,
): SimulatedFileSystem {
  return variant === null ? fs.killState(at, lastWriteBytes) : fs.crashState(at, variant)
}

interface CheckedRun extends Run {
  readonly found: ReadonlyMap<string, ReadLog>
}

/**
 * Opens what a crash has left, checks all that was promised of it, goes on appending, closes it,
 * and opens it once more. All of that is a run that can be crashed again.
 */
export async function openAndCheck(
  fs: SimulatedFileSystem,
  { expected, onPower }: Readonly<Record<'expected' | 'onPower', DirectoryExpectation>>,
  scenario: Scenario,
  { random, leaderEpoch }: { readonly random: Random; readonly leaderEpoch: number },
): Promise<CheckedRun> {
  const firstOperation = fs.operations
  const ledger = new DirectoryLedger()
  const path = scenario.path ?? existingPath
  const life = new Life({ ...scenario, fs, ledger, operations: () => fs.operations, path })
  await life.open({ leaderEpoch })
  const opened = fs.operations
  const found = new Map<string, ReadLog>()
  for (const [name, error] of life.directory.failures) {
    throw new BrokenPromiseError(`${name} was refused`, { cause: error })
  }
  for (const log of life.directory.logs.values()) found.set(log.name, await readLog(log, random))
  checkDirectory(found, expected)
  for (const [name, log] of found) {
    const expectation = expected.get(name)
    if (expectation !== undefined) ledger.add(LogLedger.found(expectation, log, opened))
  }
  for (const [name, read] of found) {
    const expectation = expected.get(name)
    if (expectation !== undefined) await checkResending(life.log(name), read, expectation)
    life.append(name, 2, { acks: 'written' })
    life.append(name, 1)
  }
  await life.settle()
  await closeAndCheck(fs, life)
  // A third of the work for a small part of the promises: now and then.
  if (random.int(4) === 0) await reopenAndCheck(fs, life, random)
  const expectation = (at: number, ending: Ending): DirectoryExpectation => {
    if (at >= opened) return ledger.expectation(at, ending)
    return ending === 'kill' ? expected : onPower
  }
  return { fs, firstOperation, found, expectation }
}

async function closeAndCheck(fs: SimulatedFileSystem, life: Life): Promise<void> {
  await life.close()
  const open = fs.openFiles()
  promise(open.length === 0, life.path, `files are open after closing: ${open}`)
  for (const { name, records } of life.ledger.logs) checkFiles(fs, `${life.path}/${name}`, records)
}

async function reopenAndCheck(fs: SimulatedFileSystem, life: Life, random: Random): Promise<void> {
  await life.open()
  const found = new Map<string, ReadLog>()
  for (const log of life.directory.logs.values()) {
    const { clean, scannedBytes } = log.recoveryReport
    promise(clean && scannedBytes === 0, log.name, 'after closing it was recovered')
    found.set(log.name, await readLog(log, random))
  }
  checkDirectory(found, life.ledger.expectation(fs.operations, 'kill'))
  await life.close()
}

function checkDirectory(found: ReadonlyMap<string, ReadLog>, expected: DirectoryExpectation): void {
  for (const expectation of expected.values()) {
    const log = found.get(expectation.name)
    if (log !== undefined) checkPromises(log, expectation)
    else promise(expectation.isOptional, expectation.name, 'the log is not there')
  }
  for (const name of found.keys()) promise(expected.has(name), name, 'the log should not be there')
}

function identityOf(fs: SimulatedFileSystem): string {
  const hash = createHash('sha1')
  for (const [file, stat] of fs.tree()) {
    hash.update(`${file}\0${stat.isDirectory ? 'directory' : stat.sizeBytes}\0`)
    if (!stat.isDirectory) hash.update(fs.bytesOf(file))
  }
  return hash.digest('base64')
}

function describeCrash(fs: SimulatedFileSystem, crash: Crash): string {
  const { at, variant, lastWriteBytes } = crash
  const after = at === 0 ? 'the start' : `operation ${at}, ${fs.describeOperation(at - 1)}`
  if (variant !== null) return `after ${after}: ${describeVariant(variant)}`
  const torn = lastWriteBytes === undefined ? '' : `, of which ${lastWriteBytes} bytes`
  return `after ${after}${torn}: killed`
}
