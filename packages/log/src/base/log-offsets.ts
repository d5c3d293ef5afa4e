import { strict as assert } from 'node:assert'
import type { Offset } from '@varve/record'

/**
 * The watermarks of one log, changed only here, their order asserted after every change:
 * `logStartOffset ≤ highWatermark ≤ writtenOffset ≤ logEndOffset` and
 * `flushedOffset ≤ writtenOffset`.
 */
export class LogOffsets {
  #logStartOffset: Offset
  #highWatermark: Offset
  #flushedOffset: Offset
  #writtenOffset: Offset
  #logEndOffset: Offset

  /** A log as recovery leaves it: everything in it is flushed and visible. */
  constructor(logStartOffset: Offset, logEndOffset: Offset) {
    this.#logStartOffset = logStartOffset
    this.#highWatermark = logEndOffset
    this.#flushedOffset = logEndOffset
    this.#writtenOffset = logEndOffset
    this.#logEndOffset = logEndOffset
    this.#assertOrder()
  }

  /** The first offset that can be read. */
  get logStartOffset(): Offset {
    return this.#logStartOffset
  }

  /** Everything below is visible to readers: it has reached the level its producer asked for. */
  get highWatermark(): Offset {
    return this.#highWatermark
  }

  /** Everything below is durable. */
  get flushedOffset(): Offset {
    return this.#flushedOffset
  }

  /** Everything below has been handed to the kernel. */
  get writtenOffset(): Offset {
    return this.#writtenOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): Offset {
    return this.#logEndOffset
  }

  placed(logEndOffset: Offset): void {
    assert(logEndOffset >= this.#logEndOffset, 'the log end moves forward')
    this.#logEndOffset = logEndOffset
    this.#assertOrder()
  }

  written(offset: Offset): void {
    assert(offset >= this.#writtenOffset, 'the written offset moves forward')
    this.#writtenOffset = offset
    this.#assertOrder()
  }

  flushed(offset: Offset): void {
    assert(offset >= this.#flushedOffset, 'the flushed offset moves forward')
    this.#flushedOffset = offset
    this.#assertOrder()
  }

  visible(offset: Offset): void {
    assert(offset >= this.#highWatermark, 'the high watermark moves forward')
    this.#highWatermark = offset
    this.#assertOrder()
  }

  started(offset: Offset): void {
    assert(offset >= this.#logStartOffset, 'the log start moves forward')
    this.#logStartOffset = offset
    this.#assertOrder()
  }

  #assertOrder(): void {
    assert(this.#logStartOffset <= this.#highWatermark, 'log start <= high watermark')
    assert(this.#highWatermark <= this.#writtenOffset, 'high watermark <= written')
    assert(this.#writtenOffset <= this.#logEndOffset, 'written <= log end')
    assert(this.#flushedOffset <= this.#writtenOffset, 'flushed <= written')
  }
}
