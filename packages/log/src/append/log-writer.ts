import { strict as assert } from 'node:assert'
import { VarveError } from '@varve/record'
import type { Timer } from '../base/clock.ts'
import { logChannels, type RollReason } from '../base/diagnostics.ts'
import { LogClosedError, LogOfflineError } from '../base/log-errors.ts'
import type { ResolvedLogOptions } from '../base/log-options.ts'
import { nextTurn, pollTurn } from '../base/turns.ts'
import { ActiveSegment } from '../segments/active-segment.ts'
import { createSegmentFile } from '../segments/segment-files.ts'
import { type File, writeFully, writeFullySync } from '../storage/file-system.ts'
import { acknowledge } from './acknowledgement.ts'
import { type AppendGroup, AppendQueue } from './append-queue.ts'
import type { LogState } from './log-state.ts'
import { type PlacedBatch, placeBatch, WriteRun } from './placement.ts'
import { SealJobs } from './seal-job.ts'

/**
 * A group up to this size is written on the event loop: 16 KiB take 8 µs there, and the hop through
 * the thread pool alone takes 40. A larger one is worth the hop, to keep the loop free.
 */
const synchronousWriteBytes = 256 * 1024
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
  readonly #commands: Array<{ run: () => Promise<void>; reject: (error: unknown) => void }> = []
  #isRunning = false
  #isClosing = false
  #failure: LogOfflineError | null = null
  #lastPollMs = 0
  /** The names of newly made segment files becoming durable; null when they are. */
  #directorySync: Promise<void> | null = null
  #flushTimer: Timer | null = null
  #isWaitingForRoom = false
  /** Ends the wait for more appends; null when nobody waits. */
  #endLinger: (() => void) | null = null
  /** The active segment's file, kept while it holds unflushed data. */
  #file: File | null = null

  constructor(state: LogState) {
    this.#state = state
    this.#queue = new AppendQueue(state.name, state.options, state.clock)
    this.#seals = new SealJobs(state, (error) => this.#fail('sealing a segment', error))
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

  /** Runs something between two groups, alone. */
  command<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#assertUsable()
    return new Promise((resolve, reject) => {
      this.#commands.push({ run: async () => resolve(await run()), reject })
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
      this.#flushTimer?.cancel()
      this.#giveFileBack()
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
        // Closing comes after everything that came before it, what waits for room included.
        const isLate = this.#isClosing && !this.#queue.isEmpty
        const command = isLate ? undefined : this.#commands.shift()
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

  async #runCommand(command: {
    run: () => Promise<void>
    reject: (error: unknown) => void
  }): Promise<void> {
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
      const { files } = this.#state
      if (this.#file === null && files.isCrowded) await this.#waitForRoom()
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
      this.#startFlushTimer()
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
      await this.#write(run)
      if (rollReason !== null) await this.#roll(rollReason)
    }
  }

  async #write(run: WriteRun): Promise<void> {
    if (run.sizeBytes === 0) return
    const { offsets, clock, name, segments, tail } = this.#state
    const started = clock.monotonic()
    const file = this.#borrowFile()
    let position = run.position
    for (const chunk of run.chunks) {
      if (chunk.length <= synchronousWriteBytes) writeFullySync(file, chunk, position)
      else await writeFully(file, chunk, position)
      tail.add(segments.active.baseOffset, position, chunk)
      position += chunk.length
    }
    const firstOffset = offsets.writtenOffset
    offsets.written(offsets.logEndOffset)
    if (logChannels.write.hasSubscribers) {
      logChannels.write.publish({
        log: name,
        batches: run.batches,
        sizeBytes: run.sizeBytes,
        firstOffset,
        nextOffset: offsets.logEndOffset,
        durationMs: clock.monotonic() - started,
      })
    }
  }

  #mustFlush(group: AppendGroup): boolean {
    const { offsets, options } = this.#state
    if (offsets.writtenOffset - offsets.flushedOffset >= options.flushMessages) return true
    return group.batches.some(({ waiters }) => waiters.asksToBeFlushed)
  }

  /** Makes everything written durable: the sealed segments, the names of new files, the data. */
  async #flush(): Promise<void> {
    const { offsets, clock, name } = this.#state
    const target = offsets.writtenOffset
    const records = target - offsets.flushedOffset
    if (records === 0 && this.#directorySync === null) return
    const started = clock.monotonic()
    try {
      if (this.#mayFlushOnLoop) this.#file?.datasyncSync()
      else await this.#flushInPool()
    } catch (error) {
      throw this.#fail('flushing', error)
    }
    offsets.flushed(target)
    this.#flushTimer?.cancel()
    this.#flushTimer = null
    if (!this.#seals.isBusy) this.#state.raiseRecoveryPoint(target)
    this.#giveFileBack()
    if (logChannels.flush.hasSubscribers && records > 0) {
      const durationMs = clock.monotonic() - started
      logChannels.flush.publish({ log: name, flushedOffset: target, records, durationMs })
    }
  }

  /** Only the data of one file: what takes several flushes is better done side by side. */
  get #mayFlushOnLoop(): boolean {
    const isAlone = this.#directorySync === null && !this.#seals.isBusy
    return isAlone && this.#state.options.flushOn === 'loop'
  }

  async #flushInPool(): Promise<void> {
    const directorySync = this.#directorySync ?? undefined
    await Promise.all([this.#seals.flushed(), directorySync, this.#file?.datasync()])
    this.#directorySync = null
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
      this.#giveFileBack()
    } else {
      old.completeTimeIndex()
      // Now, not when the segment is sealed: a process killed in between would leave zeros in the
      // middle of the log.
      if (state.options.preallocate) this.#borrowFile().truncate(old.sizeBytes)
      const sealed = this.#seals.start(old, this.#file)
      this.#file = null
      state.segments.roll(sealed, active)
      if (logChannels.roll.hasSubscribers) {
        const { baseOffset } = active
        logChannels.roll.publish({ log: state.name, sealed: sealed.info(), baseOffset, reason })
      }
    }
    createSegmentFile(state.fs, active, state.options)
    // Begun now, waited for by the first flush of the new segment: off the path of every append
    // that does not need it.
    const earlier = this.#directorySync
    this.#directorySync = (async () => {
      await earlier
      await state.fs.syncDirectory(state.directory)
    })()
    this.#directorySync.catch(() => undefined)
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

  #borrowFile(): File {
    const { segments, files } = this.#state
    this.#file ??= files.borrow(segments.active.path, 'write', () => this.#relieve())
    return this.#file
  }

  /** Returned when nothing in it is unflushed: then it may be closed to make room for another. */
  #giveFileBack(): void {
    if (this.#file === null) return
    this.#state.files.giveBack(this.#file.path, 'write', this.#file)
    this.#file = null
  }

  async #waitForRoom(): Promise<void> {
    this.#isWaitingForRoom = true
    try {
      await this.#state.files.room()
    } finally {
      this.#isWaitingForRoom = false
    }
  }

  /** Too many files are open: flushing lets this one go. */
  async #relieve(): Promise<void> {
    // A loop that waits for room cannot flush: it would wait for itself.
    if (this.#failure !== null || this.#isClosing || this.#isWaitingForRoom) return
    await this.flush().catch(() => undefined)
  }

  #startFlushTimer(): void {
    const { offsets, options, clock } = this.#state
    if (this.#flushTimer !== null || offsets.flushedOffset === offsets.writtenOffset) return
    if (options.flushMs >= 2 ** 31) return
    this.#flushTimer = clock.setTimer(options.flushMs, () => {
      this.#flushTimer = null
      void this.#relieve()
    })
  }

  /** Takes the log offline, once; later failures are consequences of the first. */
  #fail(operation: string, cause: unknown): LogOfflineError {
    if (this.#failure !== null) return this.#failure
    const failure =
      cause instanceof LogOfflineError
        ? cause
        : new LogOfflineError(this.#state.name, operation, cause)
    this.#failure = failure
    this.#flushTimer?.cancel()
    this.#endLinger?.()
    this.#queue.fail(failure)
    for (const { reject } of this.#commands.splice(0)) reject(failure)
    this.#state.goOffline(failure)
    return failure
  }
}
