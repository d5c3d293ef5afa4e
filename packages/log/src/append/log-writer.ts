import { strict as assert } from 'node:assert'
import { VarveError } from '@varve/record'
import { logChannels, type RollReason } from '../base/diagnostics.ts'
import { LogClosedError, LogOfflineError } from '../base/log-errors.ts'
import type { ResolvedLogOptions } from '../base/log-options.ts'
import { nextTurn, pollTurn } from '../base/turns.ts'
import { ActiveSegment } from '../segments/active-segment.ts'
import { createSegmentFile } from '../segments/segment-files.ts'
import { writeFully, writeFullySync } from '../storage/file-system.ts'
import { acknowledge } from './acknowledgement.ts'
import { type AppendGroup, AppendQueue } from './append-queue.ts'
import { LogFlusher } from './log-flusher.ts'
import type { LogState } from './log-state.ts'
import { isWrittenOnLoop, type PlacedBatch, placeBatch, WriteRun } from './placement.ts'
import { SealJobs } from './seal-job.ts'

/** What runs between two groups. */
interface Command {
  readonly run: () => Promise<void>
  readonly reject: (error: unknown) => void
  /** It comes after all appends up to this one, in the order of the queue. */
  readonly after: number
}

/** The loop lets timers and sockets have their turn after this long without waiting for a disk. */
const pollIntervalMs = 5

/**
 * The one writer of a log. Everything that changes the log happens in its loop, one thing after the
 * other, so nothing here needs a lock.
 *
 * What it promises. `append` queues; offsets are given in the order of the calls. Everything that
 * was queued while the previous group was written and flushed is the next group: one write (one per
 * segment), and one fdatasync when anything in it asks for that. Acknowledgements run in offset
 * order, at the level each append asked for, and the high watermark with them.
 *
 * A failed write or flush takes the log offline: that group, everything queued and every later call
 * rejects with one LogOfflineError whose cause is the first failure. A failed fdatasync is not
 * tried again: the kernel may have dropped the data and would report success.
 *
 * What runs beside the loop: the sealing of segments that were rolled (see SealJobs), which every
 * later flush waits for, so that what is durable is always a prefix of the log.
 *
 * Not done, on purpose: writing the next group while the previous one is flushed. The next group
 * only grows meanwhile, and a measurement would have to ask for it.
 */
export class LogWriter {
  readonly #state: LogState
  readonly #queue: AppendQueue
  readonly #seals: SealJobs
  readonly #flusher: LogFlusher
  readonly #commands: Command[] = []
  #isRunning = false
  #isClosing = false
  #failure: LogOfflineError | null = null
  #lastPollMs = 0
  /** Ends the wait for more appends; null when nobody waits. */
  #endLinger: (() => void) | null = null

  constructor(state: LogState) {
    this.#state = state
    this.#queue = new AppendQueue(state.name, state.options, state.clock)
    this.#seals = new SealJobs(state, (error) => this.#fail('sealing a segment', error))
    this.#flusher = new LogFlusher(state, this.#seals, () => this.#relieve())
    this.#lastPollMs = state.clock.monotonic()
  }

  /** Where appends enter. Throws when the log is offline or closed. */
  queue(): AppendQueue {
    this.#assertUsable()
    this.#schedule()
    return this.#queue
  }

  /** Makes everything appended so far durable. */
  flush(): Promise<void> {
    return this.command(() => this.#flush())
  }

  /** Seals the active segment, unless it is empty. */
  roll(): Promise<void> {
    return this.command(async () => {
      if (this.#state.segments.active.sizeBytes > 0) await this.#roll('request')
    })
  }

  /** Other settings, between two groups. */
  alter(options: ResolvedLogOptions): Promise<void> {
    return this.command(async () => {
      this.#queue.alter(options)
      this.#state.alter(options)
    })
  }

  /**
   * Runs something between two groups, alone, when everything that was appended before has been
   * written: what is queued while a group is on its way is not in that group.
   */
  command<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#assertUsable()
    return new Promise((resolve, reject) => {
      const after = this.#queue.asked
      this.#commands.push({ run: async () => resolve(await run()), reject, after })
      this.#schedule()
      this.#endLinger?.()
    })
  }

  /** Seals the active segment, within a command. */
  async rollNow(reason: RollReason): Promise<void> {
    assert(this.#isRunning, "rolling is the loop's work")
    await this.#roll(reason)
  }

  /** Makes everything written durable, within a command. */
  async flushNow(): Promise<void> {
    assert(this.#isRunning, "flushing is the loop's work")
    await this.#flush()
  }

  /** Resolves when every rolled segment is sealed. */
  sealed(): Promise<void> {
    return this.#seals.done()
  }

  /** Writes and flushes what is queued, waits for sealing, and gives the file back. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    try {
      // What was acknowledged at a lower level was not flushed: nobody may take it for that.
      if (this.#failure !== null) throw this.#failure
      const last = this.command(async () => {
        await this.#flush()
        await this.#seals.done()
        this.#state.raiseRecoveryPoint(this.#state.offsets.flushedOffset)
      })
      // What comes from now on is refused; what came before is written.
      this.#isClosing = true
      await last
    } finally {
      this.#isClosing = true
      this.#flusher.endTimer()
      this.#flusher.giveFileBack()
      await this.#seals.settled()
    }
  }

  get failure(): LogOfflineError | null {
    return this.#failure
  }

  #assertUsable(): void {
    if (this.#failure !== null) throw this.#failure
    if (this.#isClosing) throw new LogClosedError(this.#state.name)
  }

  #schedule(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    // Calls of the same turn share a group.
    await nextTurn()
    try {
      for (;;) {
        if (this.#state.options.lingerMs > 0) await this.#linger()
        const group = this.#queue.take()
        if (group !== null) await this.#commit(group)
        const command = this.#nextCommand()
        if (command !== undefined) await this.#runCommand(command)
        if (group === null && command === undefined) break
        await this.#yield()
      }
    } catch (error) {
      this.#fail('writing', error)
    }
    this.#isRunning = false
    if (!this.#queue.isEmpty || this.#commands.length > 0) this.#schedule()
  }

  #nextCommand(): Command | undefined {
    const next = this.#commands[0]
    return next !== undefined && this.#queue.hasTaken(next.after)
      ? this.#commands.shift()
      : undefined
  }

  async #runCommand(command: Command): Promise<void> {
    try {
      await command.run()
    } catch (error) {
      // A refusal changes nothing. Anything else leaves disk and memory in doubt.
      const failure = error instanceof VarveError ? this.#failure : this.#fail('changing', error)
      command.reject(failure ?? error)
      if (failure !== null) throw failure
    }
  }

  /** Lets those who were just acknowledged append again, and now and then everybody else run. */
  #yield(): Promise<void> {
    const now = this.#state.clock.monotonic()
    return now - this.#lastPollMs < pollIntervalMs ? nextTurn() : this.#poll()
  }

  async #poll(): Promise<void> {
    await pollTurn()
    this.#lastPollMs = this.#state.clock.monotonic()
  }

  /** Waits for more appends: not when a batch is full, nor when somebody waits for a command. */
  async #linger(): Promise<void> {
    const { lingerMs } = this.#state.options
    if (this.#queue.isEmpty || this.#queue.isBatchFull || this.#commands.length > 0) return
    await new Promise<void>((resolve) => {
      const timer = this.#state.clock.setTimer(lingerMs, resolve, { keepsAlive: true })
      this.#endLinger = () => {
        timer.cancel()
        resolve()
      }
      this.#queue.whenBatchFull = this.#endLinger
    })
    this.#queue.whenBatchFull = null
    this.#endLinger = null
  }

  async #commit(group: AppendGroup): Promise<void> {
    const placed: PlacedBatch[] = []
    try {
      if (this.#flusher.needsRoom) await this.#flusher.room()
      if (this.#isNewLeaderEpoch) await this.#assignLeaderEpoch()
      await this.#writeGroup(group, placed)
      if (this.#mustFlush(group)) {
        // Everything before the first append that waits for the flush is acknowledged now.
        acknowledge(this.#state, placed, 'written')
        await this.#flush()
      }
      acknowledge(this.#state, placed, 'flushed')
      this.#queue.recycle(group.encoder)
      this.#state.saveProgress()
      this.#state.segments.active.saveIndexesWhenDue(this.#state.fs)
      this.#flusher.startTimer()
    } catch (error) {
      const failure = this.#fail('writing', error)
      for (const { waiters } of group.batches) waiters.reject(failure)
      throw failure
    }
  }

  /** Places and writes a group, segment by segment. */
  async #writeGroup(group: AppendGroup, placed: PlacedBatch[]): Promise<void> {
    const bytes = group.encoder.bytes()
    let index = 0
    while (index < group.batches.length) {
      const run = new WriteRun(this.#state.segments.active.sizeBytes)
      let rollReason: RollReason | null = null
      for (; index < group.batches.length; index++) {
        const queued = group.batches[index]
        assert(queued !== undefined, 'the index is within the group')
        rollReason = placeBatch(this.#state, queued, bytes, run, placed)
        if (rollReason !== null) break
      }
      if (run.isWrittenOnLoop) this.#writeOnLoop(run)
      else await this.#writeInPool(run)
      if (rollReason !== null) await this.#roll(rollReason)
    }
  }

  #writeOnLoop(run: WriteRun): void {
    if (run.sizeBytes === 0) return
    const startedMs = this.#startedMs()
    const file = this.#flusher.file()
    let { position } = run
    for (const chunk of run.chunks) {
      writeFullySync(file, chunk, position)
      position += chunk.length
    }
    this.#written(run, startedMs)
  }

  async #writeInPool(run: WriteRun): Promise<void> {
    const startedMs = this.#startedMs()
    const file = this.#flusher.file()
    let { position } = run
    for (const chunk of run.chunks) {
      if (isWrittenOnLoop(chunk)) writeFullySync(file, chunk, position)
      else await writeFully(file, chunk, position)
      position += chunk.length
    }
    this.#written(run, startedMs)
  }

  #written(run: WriteRun, startedMs: number): void {
    const { offsets, clock, name, segments, tail } = this.#state
    let { position } = run
    for (const chunk of run.chunks) {
      tail.add(segments.active.baseOffset, position, chunk)
      position += chunk.length
    }
    const firstOffset = offsets.writtenOffset
    offsets.written(offsets.logEndOffset)
    if (!logChannels.write.hasSubscribers) return
    logChannels.write.publish({
      log: name,
      batches: run.batches,
      sizeBytes: run.sizeBytes,
      firstOffset,
      nextOffset: offsets.logEndOffset,
      durationMs: clock.monotonic() - startedMs,
    })
  }

  /** A look at the clock costs as much as a record, and few listen. */
  #startedMs(): number {
    return logChannels.write.hasSubscribers ? this.#state.clock.monotonic() : 0
  }

  #mustFlush(group: AppendGroup): boolean {
    const { offsets, options } = this.#state
    if (offsets.writtenOffset - offsets.flushedOffset >= options.flushMessages) return true
    return group.batches.some(({ waiters }) => waiters.asksToBeFlushed)
  }

  async #flush(): Promise<void> {
    try {
      await this.#flusher.flush()
    } catch (error) {
      throw this.#fail('flushing', error)
    }
  }

  /** Starts the next segment; the old one is sealed beside the loop. */
  async #roll(reason: RollReason): Promise<void> {
    const state = this.#state
    await this.#seals.room()
    // The note tells recovery that a gap between segments is a loss: it must not be lost itself.
    await state.makeProgressDurable()
    const { active: old } = state.segments
    const active = new ActiveSegment(state.directory, state.offsets.logEndOffset, state.options, {
      createdMs: state.clock.now(),
      jitter: state.random(),
    })
    if (old.sizeBytes === 0) {
      state.segments.replaceActive(active)
      this.#flusher.giveFileBack()
    } else {
      old.completeTimeIndex()
      // Now, not when the segment is sealed: a process killed in between would leave zeros in the
      // middle of the log.
      if (state.options.preallocate) this.#flusher.file().truncate(old.sizeBytes)
      const sealed = this.#seals.start(old, this.#flusher.takeFile())
      state.segments.roll(sealed, active)
      if (logChannels.roll.hasSubscribers) {
        const { baseOffset } = active
        logChannels.roll.publish({ log: state.name, sealed: sealed.info(), baseOffset, reason })
      }
    }
    createSegmentFile(state.fs, active, state.options)
    this.#flusher.namesChanged()
  }

  get #isNewLeaderEpoch(): boolean {
    const { epochs, leaderEpoch } = this.#state
    return (epochs.latestEpoch ?? -1) < leaderEpoch
  }

  /** The first append of an epoch records where it begins, durably, before any of its data. */
  async #assignLeaderEpoch(): Promise<void> {
    const { epochs, leaderEpoch, offsets } = this.#state
    epochs.assign(leaderEpoch, offsets.logEndOffset)
    await this.#state.saveEpochs()
  }

  /** Somebody needs the file's place, or records are old enough: flushing helps both. */
  async #relieve(): Promise<void> {
    // A loop that waits for room cannot flush: it would wait for itself.
    if (this.#failure !== null || this.#isClosing || this.#flusher.isWaitingForRoom) return
    await this.flush().catch(() => undefined)
  }

  /** Takes the log offline, once; later failures are consequences of the first. */
  #fail(operation: string, cause: unknown): LogOfflineError {
    if (this.#failure !== null) return this.#failure
    const failure =
      cause instanceof LogOfflineError
        ? cause
        : new LogOfflineError(this.#state.name, operation, cause)
    this.#failure = failure
    this.#flusher.endTimer()
    this.#endLinger?.()
    this.#queue.fail(failure)
    for (const { reject } of this.#commands.splice(0)) reject(failure)
    this.#state.goOffline(failure)
    return failure
  }
}
