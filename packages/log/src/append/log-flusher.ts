import type { Timer } from '../base/clock.ts'
import { logChannels } from '../base/diagnostics.ts'
import type { File } from '../storage/file-system.ts'
import type { LogState } from './log-state.ts'
import type { SealJobs } from './seal-job.ts'

/**
 * The file that the writer writes to, and how what is written there becomes durable: with it the
 * segments that wait to be sealed and the names of new files, so that what is durable is always a
 * prefix of the log.
 */
export class LogFlusher {
  readonly #state: LogState
  readonly #seals: SealJobs
  readonly #ask: () => Promise<void>
  /** The active segment's file, kept while it holds unflushed data. */
  #file: File | null = null
  /** What `#file` was last, to be borrowed again. */
  #lastFile: File | null = null
  /** The names of newly made segment files becoming durable; null when they are. */
  #directorySync: Promise<void> | null = null
  #timer: Timer | null = null
  #isWaitingForRoom = false

  /**
   * `ask` makes the writer flush: somebody needs the file's place, or records are old enough. Its
   * promise never rejects.
   */
  constructor(state: LogState, seals: SealJobs, ask: () => Promise<void>) {
    this.#state = state
    this.#seals = seals
    this.#ask = ask
  }

  /** The active segment's file, to write to. */
  file(): File {
    if (this.#file !== null) return this.#file
    const { segments, files } = this.#state
    const { path } = segments.active
    const last = this.#lastFile
    const isSame = last !== null && last.path === path && files.borrowAgain(last)
    this.#file = isSame ? last : files.borrow(path, 'write', this.#ask)
    this.#lastFile = this.#file
    return this.#file
  }

  /** The active segment's file, if it holds unflushed data; whoever takes it gives it back. */
  takeFile(): File | null {
    const file = this.#file
    this.#file = null
    return file
  }

  /** When nothing in it is unflushed it may be closed to make room for another. */
  giveFileBack(): void {
    const file = this.takeFile()
    if (file !== null) this.#state.files.giveBack(file)
  }

  /** Waits, before the file is opened, while too many are. */
  async room(): Promise<void> {
    this.#isWaitingForRoom = true
    try {
      await this.#state.files.room()
    } finally {
      this.#isWaitingForRoom = false
    }
  }

  get needsRoom(): boolean {
    return this.#file === null && this.#state.files.isCrowded
  }

  /** Whoever waits for room cannot flush: it would wait for itself. */
  get isWaitingForRoom(): boolean {
    return this.#isWaitingForRoom
  }

  /**
   * Files were made. To make their names durable begins now, off the path of every append that does
   * not need it; the next flush waits for it.
   */
  namesChanged(): void {
    const { fs, directory } = this.#state
    const earlier = this.#directorySync
    this.#directorySync = (async () => {
      await earlier
      await fs.syncDirectory(directory)
    })()
    this.#directorySync.catch(() => undefined)
  }

  /** Makes everything written durable: the sealed segments, the names of new files, the data. */
  async flush(): Promise<void> {
    const { offsets, clock, name } = this.#state
    const target = offsets.writtenOffset
    const records = target - offsets.flushedOffset
    if (records === 0 && this.#directorySync === null) return
    const startedMs = logChannels.flush.hasSubscribers ? clock.monotonic() : 0
    if (this.#mayFlushOnLoop) this.#file?.datasyncSync()
    else await this.#flushInPool()
    offsets.flushed(target)
    this.endTimer()
    if (!this.#seals.isBusy) this.#state.raiseRecoveryPoint(target)
    this.giveFileBack()
    if (logChannels.flush.hasSubscribers && records > 0) {
      const durationMs = clock.monotonic() - startedMs
      logChannels.flush.publish({ log: name, flushedOffset: target, records, durationMs })
    }
  }

  /** Lets what is unflushed become as old as it may, and no older. */
  startTimer(): void {
    const { offsets, options, clock } = this.#state
    if (this.#timer !== null || offsets.flushedOffset === offsets.writtenOffset) return
    if (options.flushMs >= 2 ** 31) return
    this.#timer = clock.setTimer(options.flushMs, () => {
      this.#timer = null
      void this.#ask()
    })
  }

  endTimer(): void {
    this.#timer?.cancel()
    this.#timer = null
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
}
