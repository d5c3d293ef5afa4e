import {
  type Clock,
  type FileSystem,
  type Log,
  LogClosedError,
  type LogDirectory,
  nodeFileSystem,
  type SegmentInfo,
  systemClock,
  type Timer,
} from '@varve/log'
import { IoThrottle } from '@varve/log/pacing'
import { crc32c, InvalidArgumentError } from '@varve/record'
import { cleanerChannels } from '../cleaner-events.ts'
import { SegmentDamageError } from '../cleaning-errors.ts'
import { readDigest, segmentBatches } from '../compaction/segment-batches.ts'

export interface ScrubberOptions {
  /** What may be read a second. @defaultValue 8 MiB */
  readonly ioBytesPerSecond?: number
  /** Time from the end of one pass over all sealed segments to the next. @defaultValue 7 days */
  readonly intervalMs?: number
  /** That of the logs. @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
}

/** What a pass has found. */
export interface ScrubReport {
  readonly segments: number
  readonly sizeBytes: number
  readonly rotten: readonly SegmentDamageError[]
}

/**
 * Reads sealed segments at a gentle rate, again and again, and checks every checksum in them, so
 * that rot is found before a reader meets it, and while a backup still has what was there. Each
 * segment is told on `cleanerChannels.scrub`, or on `cleanerChannels.rot`. Changes nothing.
 *
 * @example
 * ```ts
 * subscribe(cleanerChannels.rot.name, (event) => page((event as RotEvent).error.message))
 * await using scrubber = new Scrubber(directory)
 * scrubber.start()
 * ```
 */
export class Scrubber implements AsyncDisposable {
  readonly #directory: LogDirectory
  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #ioBytesPerSecond: number
  readonly #intervalMs: number
  readonly #closing = new AbortController()
  #running: Promise<unknown> | null = null
  #timer: Timer | null = null

  /** Does nothing before it is started. Throws InvalidArgumentError. */
  constructor(directory: LogDirectory, options: ScrubberOptions = {}) {
    const { ioBytesPerSecond = 8 * 2 ** 20, intervalMs = 7 * 86_400_000 } = options
    for (const [name, value] of Object.entries({ ioBytesPerSecond, intervalMs })) {
      if (Number.isSafeInteger(value) && value >= 1) continue
      throw new InvalidArgumentError(name, value, 'must be a positive integer')
    }
    this.#directory = directory
    this.#fs = options.fs ?? nodeFileSystem
    this.#clock = options.clock ?? systemClock
    this.#ioBytesPerSecond = ioBytesPerSecond
    this.#intervalMs = intervalMs
  }

  /** Begins to read by itself: at once, and then at its intervals. Idempotent. */
  start(): void {
    if (this.#timer !== null || this.#closing.signal.aborted) return
    const next = (): void => {
      if (this.#closing.signal.aborted) return
      this.#timer = this.#clock.setTimer(this.#intervalMs, run)
    }
    const run = (): void => {
      this.#running = this.runOnce().then(next, next)
    }
    this.#timer = this.#clock.setTimer(0, run)
  }

  /** Reads every sealed segment once. Rejects with the signal's reason, and with storage errors. */
  async runOnce(options: { readonly signal?: AbortSignal } = {}): Promise<ScrubReport> {
    const stop = this.#closing.signal
    const signal = options.signal === undefined ? stop : AbortSignal.any([stop, options.signal])
    const throttle = new IoThrottle(this.#ioBytesPerSecond, this.#clock, signal)
    const rotten: SegmentDamageError[] = []
    let segments = 0
    let sizeBytes = 0
    for (const log of [...this.#directory.logs.values()]) {
      for (const segment of log.segments().slice(0, -1)) {
        signal.throwIfAborted()
        const error = await this.#scrub(log, segment, throttle)
        segments += 1
        sizeBytes += segment.sizeBytes
        if (error === null) cleanerChannels.scrub.publish({ log: log.name, segment })
        else {
          rotten.push(error)
          cleanerChannels.rot.publish({ log: log.name, segment, error })
        }
      }
    }
    return { segments, sizeBytes, rotten }
  }

  /** Stops reading. Idempotent. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#closing.abort()
    await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What is wrong with a segment; null when nothing is, or it is no longer in the log. */
  async #scrub(
    log: Log,
    segment: SegmentInfo,
    throttle: IoThrottle,
  ): Promise<SegmentDamageError | null> {
    // One that is not wholly visible was sealed a moment ago: the next pass reads it.
    if (!isThere(log, segment)) return null
    try {
      for await (const _ of segmentBatches(this.#fs, segment, throttle));
      this.#checkDerived(segment)
      return null
    } catch (error) {
      // Deleted or replaced while it was read: what was read may be of two files.
      if (error instanceof LogClosedError || !isThere(log, segment)) return null
      throttle.throwIfAborted()
      if (error instanceof SegmentDamageError) return error
      const reason = error instanceof Error ? error.message : String(error)
      return new SegmentDamageError(segment.path, 0, reason)
    }
  }

  /** The indexes that are believed when they are read. The offset index is checked at every use. */
  #checkDerived(segment: SegmentInfo): void {
    const digest = readDigest(this.#fs, segment)
    if (digest === null) return
    const checks = [
      ['.timeindex', digest.timeIndexCrc32c],
      ['.txnindex', digest.transactionIndexCrc32c],
    ] as const
    for (const [extension, expected] of checks) {
      const path = segment.path.replace(/\.log$/, extension)
      if (this.#checksumOf(path) === expected) continue
      throw new SegmentDamageError(path, 0, 'its checksum does not agree with the digest')
    }
  }

  #checksumOf(path: string): number {
    if (this.#fs.stat(path) === null) return 0
    const file = this.#fs.open(path, 'read')
    try {
      const chunk = Buffer.alloc(64 * 1024)
      const sizeBytes = file.sizeBytes()
      let checksum = 0
      for (let position = 0; position < sizeBytes; position += chunk.length) {
        checksum = crc32c(chunk.subarray(0, file.readSync(chunk, position)), checksum)
      }
      return checksum
    } finally {
      file.close()
    }
  }
}

function isThere(log: Log, { baseOffset, sizeBytes, nextOffset }: SegmentInfo): boolean {
  const sealed = log.segments().slice(0, -1)
  return sealed.some(
    (segment) =>
      segment.baseOffset === baseOffset &&
      segment.sizeBytes === sizeBytes &&
      segment.nextOffset === nextOffset,
  )
}
