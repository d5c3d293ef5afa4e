import {
  CorruptCheckpointError,
  type Log,
  LogClosedError,
  type LogDirectory,
  type Timer,
} from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import { cleanerChannels } from './cleaner-events.ts'
import { type CleanerOptions, resolveCleanerOptions } from './cleaner-options.ts'
import { type CleaningFailure, CleaningFailures } from './cleaning-failures.ts'
import { CleaningPace } from './cleaning-pace.ts'
import type { CompactionPlan } from './compaction/compaction-plan.ts'
import { inlineExecutor } from './compaction/inline-executor.ts'
import {
  type CompactionExecutor,
  type CompactionOutcome,
  compactLog,
  planLogCompaction,
} from './compaction/log-compaction.ts'
import { type ResolvedCleaningPolicy, resolveCleaningPolicy } from './policy/cleaning-policy.ts'
import { deleteByPlan, planLogRetention } from './retention/log-retention.ts'
import type { RetentionPlan } from './retention/retention-selection.ts'
import { workerExecutor } from './workers/worker-executor.ts'
import { WorkerPool } from './workers/worker-pool.ts'

/** Describing so many segments for the first time takes some 30 ms. */
const segmentsPerTurn = 1024

/** What was done in several parts. */
function joined(before: RetentionPlan | undefined, plan: RetentionPlan): RetentionPlan {
  if (before === undefined) return plan
  const { held, overruled } = plan
  const gone = before.decisions.filter(({ isDeleted }) => isDeleted)
  return {
    decisions: [...gone, ...plan.decisions],
    deletions: [...before.deletions, ...plan.deletions],
    held,
    overruled,
  }
}

interface Work {
  readonly task: CleaningFailure['task']
  readonly done: Promise<void>
}

/** What a look at all logs has led to, by name of the log. */
export interface CleanerReport {
  /** Plans that were carried out, of logs of which something was deleted or is held back. */
  readonly retention: ReadonlyMap<string, RetentionPlan>
  readonly compaction: ReadonlyMap<string, CompactionOutcome>
}

/**
 * Keeps the logs of a data directory at the size and in the shape that their policies ask for:
 * deletes old segments, and compacts, the dirtiest log first. Appending and reading go on.
 *
 * A log that fails to be cleaned stands in `failures` with its error and is tried again later; the
 * others go on. What is done is told on `cleanerChannels`.
 *
 * @example
 * ```ts
 * const policy = (log: Log) => ({ cleanupPolicy: ['compact'] as const, deleteRetentionMs: 60_000 })
 * await using cleaner = new Cleaner(directory, { policy })
 * cleaner.start()
 * ```
 */
export class Cleaner implements AsyncDisposable {
  readonly #directory: LogDirectory
  readonly #options: Required<CleanerOptions>
  readonly #pool: WorkerPool | null
  readonly #executor: CompactionExecutor
  readonly #failures: CleaningFailures
  readonly #pace: CleaningPace
  readonly #lastCompactedMs = new Map<string, Timestamp>()
  /** What is being done to logs; of each one thing at a time. */
  readonly #busy = new Map<string, Work>()
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #timers: Timer[] = []

  /** Does nothing before it is started. Throws InvalidArgumentError. */
  constructor(directory: LogDirectory, options: CleanerOptions = {}) {
    this.#directory = directory
    this.#options = resolveCleanerOptions(options)
    const { fs, clock, workers, restMs, retryBackoffMs, retryBackoffMsMax } = this.#options
    this.#pool = workers === 0 ? null : new WorkerPool(workers)
    this.#executor =
      this.#pool === null ? inlineExecutor(fs, clock) : workerExecutor(this.#pool, fs)
    this.#failures = new CleaningFailures(retryBackoffMs, retryBackoffMsMax)
    this.#pace = new CleaningPace(restMs)
  }

  /** The logs that are set aside, by name. */
  get failures(): ReadonlyMap<string, CleaningFailure> {
    return this.#failures.all
  }

  /** Begins to look by itself: at once, and then at its intervals. Idempotent. */
  start(): void {
    if (this.#timers.length > 0 || this.#closing.signal.aborted) return
    const { retentionIntervalMs, compactionIntervalMs } = this.#options
    this.#repeat(0, retentionIntervalMs, () => this.#retainAll(null))
    this.#repeat(1, compactionIntervalMs, () => this.#compactDue(null))
  }

  /**
   * What the schedule does, once, now: retention of all logs, then compaction of those that are
   * due. Rejects with the signal's reason only: what concerns one log stands in `failures`.
   */
  async runOnce(options: { readonly signal?: AbortSignal } = {}): Promise<CleanerReport> {
    const { signal = null } = options
    const retention = await this.#track(this.#retainAll(signal))
    const compaction = await this.#track(this.#compactDue(signal))
    signal?.throwIfAborted()
    return { retention, compaction }
  }

  /** What is to be deleted of a log now. Changes nothing. */
  planRetention(log: Log): RetentionPlan {
    return this.#planRetention(log, Number.POSITIVE_INFINITY)
  }

  /** Whether a log is due for compaction, and how much of it. Changes nothing. */
  planCompaction(log: Log): CompactionPlan {
    const { fs, clock } = this.#options
    return planLogCompaction(log, fs, {
      policy: this.#policyOf(log),
      nowMs: clock.now(),
      cleanedOffset: this.#cleanedOffsets().get(log.name) ?? null,
      lastCompactedMs: this.#lastCompactedMs.get(log.name) ?? null,
    })
  }

  /** Stops, within 100 ms where compaction runs in workers. Idempotent. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel()
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    await this.#pool?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #planRetention(log: Log, segmentsMax: number): RetentionPlan {
    const { fs, clock, holds } = this.#options
    const policy = this.#policyOf(log)
    const settings = { policy, nowMs: clock.now(), holds: holds(log), segmentsMax }
    return planLogRetention(log, fs, settings)
  }

  #repeat(index: number, intervalMs: number, action: () => Promise<unknown>): void {
    const { clock } = this.#options
    const next = (): void => {
      if (this.#closing.signal.aborted) return
      this.#timers[index] = clock.setTimer(intervalMs, run)
    }
    const run = (): void => void this.#track(action()).then(next, next)
    this.#timers[index] = clock.setTimer(0, run)
  }

  async #track<Result>(running: Promise<Result>): Promise<Result> {
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  #policyOf(log: Log): ResolvedCleaningPolicy {
    return resolveCleaningPolicy(this.#options.policy(log))
  }

  #cleanedOffsets(): ReadonlyMap<string, Offset> {
    return this.#directory.cleanerCheckpoint.readOrEmpty()
  }

  /** The logs that may be worked on now. */
  #free(): readonly Log[] {
    this.#failures.keepOnly(this.#directory.logs)
    this.#pace.keepOnly(this.#directory.logs)
    const nowMs = this.#options.clock.now()
    return [...this.#directory.logs.values()].filter(
      (log) =>
        !log.isFailed &&
        this.#busy.get(log.name)?.task !== 'compaction' &&
        !this.#failures.isSetAside(log, nowMs),
    )
  }

  /** Retention of one log, now. What it fails with stands in `failures`. */
  async retain(log: Log): Promise<RetentionPlan> {
    const plan = this.planRetention(log)
    await this.#withLog(log, 'retention', null, () => deleteByPlan(log, plan))
    return plan
  }

  /**
   * Runs an action when nothing is being done to a log, and does nothing to it meanwhile: for
   * others who replace segments.
   */
  async exclusively<Result>(log: Log, action: () => Promise<Result>): Promise<Result> {
    for (let work = this.#busy.get(log.name); work !== undefined; ) {
      await work.done
      work = this.#busy.get(log.name)
    }
    let finish = (): void => undefined
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    // As compaction does: nobody waits for it, but looks again later.
    this.#busy.set(log.name, { task: 'compaction', done })
    try {
      return await action()
    } finally {
      this.#busy.delete(log.name)
      finish()
    }
  }

  async #retainAll(signal: AbortSignal | null): Promise<ReadonlyMap<string, RetentionPlan>> {
    const done = new Map<string, RetentionPlan>()
    for (const log of this.#free()) {
      if (this.#isStopped(signal)) break
      await this.#withLog(log, 'retention', signal, async () => {
        await this.#retainInParts(log, signal, done)
        this.#failures.succeeded(log, 'retention')
      })
      await new Promise((resolve) => setImmediate(resolve))
    }
    return done
  }

  /** Of thousands of segments not all are looked at in one turn of the event loop. */
  async #retainInParts(
    log: Log,
    signal: AbortSignal | null,
    done: Map<string, RetentionPlan>,
  ): Promise<void> {
    while (!this.#isStopped(signal)) {
      const plan = this.#planRetention(log, segmentsPerTurn)
      const { decisions, deletions, held, overruled } = plan
      if (deletions.length === 0 && held.length === 0) return
      await deleteByPlan(log, plan)
      done.set(log.name, joined(done.get(log.name), plan))
      cleanerChannels.retention.publish({ log: log.name, deletions, held, overruled })
      const mayGoOn = decisions.at(-1)?.isDeleted === true && log.segmentCount > 1
      if (!mayGoOn) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The dirtiest first, as many at a time as there are workers. */
  async #compactDue(signal: AbortSignal | null): Promise<ReadonlyMap<string, CompactionOutcome>> {
    const done = new Map<string, CompactionOutcome>()
    const due = await this.#dueLogs(signal)
    const waiting = due.sort((one, two) => one.dirtyRatio - two.dirtyRatio).map(({ log }) => log)
    const work = async (): Promise<void> => {
      for (let log = waiting.pop(); log !== undefined; log = waiting.pop()) {
        if (this.#isStopped(signal)) return
        await this.#compact(log, signal, done)
      }
    }
    await Promise.all(Array.from({ length: Math.max(1, this.#options.workers) }, work))
    return done
  }

  async #dueLogs(
    signal: AbortSignal | null,
  ): Promise<Array<{ readonly log: Log; readonly dirtyRatio: number }>> {
    const due: Array<{ readonly log: Log; readonly dirtyRatio: number }> = []
    for (const log of this.#free()) {
      await this.#withLog(log, 'compaction', signal, async () => {
        if (!this.#policyOf(log).cleanupPolicy.includes('compact')) return
        const { reason, dirtyRatio } = this.planCompaction(log)
        if (reason !== null) due.push({ log, dirtyRatio })
      })
    }
    return due
  }

  async #compact(
    log: Log,
    signal: AbortSignal | null,
    done: Map<string, CompactionOutcome>,
  ): Promise<void> {
    const { fs, clock, mapBytes, ioBytesPerSecond, workers } = this.#options
    await this.#withLog(log, 'compaction', signal, async (signal) => {
      const { name } = log
      const startedMs = clock.monotonic()
      const compactedMs = clock.now()
      // Looked at again: the turn of a log may come long after it was found due.
      const plan = this.planCompaction(log)
      const { reason } = plan
      if (reason === null) return
      const share = Math.max(1, workers)
      const outcome = await compactLog(log, plan, this.#policyOf(log), {
        fs,
        clock,
        executor: this.#executor,
        resources: {
          mapBytes: Math.floor(mapBytes / share),
          ioBytesPerSecond: Math.ceil(ioBytesPerSecond / share),
          restMs: this.#pace.restMsOf(name),
        },
        signal,
        progress: (progress) => cleanerChannels.progress.publish({ log: name, ...progress }),
        saveCleanedOffset: (offset) => this.#saveCleanedOffset(log, offset),
      })
      this.#lastCompactedMs.set(name, compactedMs)
      this.#failures.succeeded(log, 'compaction')
      done.set(name, outcome)
      const durationMs = clock.monotonic() - startedMs
      cleanerChannels.compaction.publish({ log: name, reason, outcome, durationMs })
      this.#pace.compacted(name, plan.dirtyBytes, this.planCompaction(log).dirtyBytes)
    })
  }

  async #saveCleanedOffset(log: Log, offset: Offset): Promise<void> {
    const { cleanerCheckpoint: checkpoint, logs } = this.#directory
    // Deleted meanwhile, its name may soon be another log's.
    if (logs.get(log.name) !== log) throw new LogClosedError(log.name)
    await checkpoint.writeOne(log.name, offset).catch(async (error: unknown) => {
      if (!(error instanceof CorruptCheckpointError)) throw error
      // As good as none: the other logs are compacted from their start.
      await checkpoint.write(new Map([[log.name, offset]]))
    })
  }

  /** Does something to one log, and sets it aside when that fails. */
  async #withLog(
    log: Log,
    task: CleaningFailure['task'],
    signal: AbortSignal | null,
    action: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { clock } = this.#options
    const stop = this.#closing.signal
    for (let work = this.#busy.get(log.name); work !== undefined; ) {
      // Compaction takes long, and the next look comes soon.
      if (work.task === 'compaction') return
      await work.done
      work = this.#busy.get(log.name)
    }
    let finish = (): void => undefined
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#busy.set(log.name, { task, done })
    try {
      await action(signal === null ? stop : AbortSignal.any([stop, signal]))
    } catch (error) {
      // Closed, or asked to stop: that says nothing about the log.
      if (error instanceof LogClosedError || this.#isStopped(signal)) return
      this.#failures.failed(log, task, error, clock.now())
    } finally {
      this.#busy.delete(log.name)
      finish()
    }
  }

  #isStopped(signal: AbortSignal | null): boolean {
    return this.#closing.signal.aborted || signal?.aborted === true
  }
}
