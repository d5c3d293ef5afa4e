import { type FlushEvent, logChannels, type WriteEvent } from '@varve/log'

/** What the engine of this process did, in all logs together. */
export interface EngineFigures {
  readonly writes: number
  readonly writtenBytes: number
  readonly flushes: number
  readonly flushesPerSecond: number
  /** Records that a flush made durable, on average; 0 without flushes. */
  readonly recordsPerFlush: number
  readonly meanFlushMs: number
  /** Written bytes of batches for each byte of key and value. */
  readonly bytesPerPayloadByte: number
}

/** Counts from the engine's own events, a few additions for each group. */
export class EngineWatch implements Disposable {
  #writes = 0
  #writtenBytes = 0
  #flushes = 0
  #flushedRecords = 0
  #flushMs = 0
  readonly #onWrite = (event: unknown): void => {
    this.#writes += 1
    this.#writtenBytes += (event as WriteEvent).sizeBytes
  }
  readonly #onFlush = (event: unknown): void => {
    const { records, durationMs } = event as FlushEvent
    this.#flushes += 1
    this.#flushedRecords += records
    this.#flushMs += durationMs
  }

  constructor() {
    logChannels.write.subscribe(this.#onWrite)
    logChannels.flush.subscribe(this.#onFlush)
  }

  /** Forgets what was counted. */
  restart(): void {
    this.#writes = 0
    this.#writtenBytes = 0
    this.#flushes = 0
    this.#flushedRecords = 0
    this.#flushMs = 0
  }

  figures(seconds: number, payloadBytes: number): EngineFigures {
    const flushes = this.#flushes
    return {
      writes: this.#writes,
      writtenBytes: this.#writtenBytes,
      flushes,
      flushesPerSecond: per(flushes, seconds),
      recordsPerFlush: per(this.#flushedRecords, flushes),
      meanFlushMs: per(this.#flushMs, flushes),
      bytesPerPayloadByte: per(this.#writtenBytes, payloadBytes),
    }
  }

  [Symbol.dispose](): void {
    logChannels.write.unsubscribe(this.#onWrite)
    logChannels.flush.unsubscribe(this.#onFlush)
  }
}

function per(amount: number, divisor: number): number {
  return divisor > 0 ? amount / divisor : 0
}
