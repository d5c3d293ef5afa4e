import assert from 'node:assert/strict'
import { BatchEncoder, type FinishOverrides } from './batch-encoder.ts'
import type { BatchOptions } from './batch-options.ts'
import { RecordBatch } from './record-batch.ts'
import type { RecordInput } from './record-input.ts'
import type { Timestamp } from './units.ts'

export interface RecordBatchBuilderOptions extends BatchOptions {
  /** Of records that have no timestamp of their own. @defaultValue -1, none */
  readonly defaultTimestamp?: Timestamp
}

/** Small: most batches that are built one by one are. */
const initialBytes = 512

/** Builds one batch in memory of its own: the convenient form of `BatchEncoder`. */
export class RecordBatchBuilder {
  readonly #encoder: BatchEncoder = new BatchEncoder({ initialBytes })
  readonly #defaultTimestamp: Timestamp

  /** @throws {InvalidArgumentError} when an option is outside its range. */
  constructor(options: RecordBatchBuilderOptions = {}) {
    this.#defaultTimestamp = options.defaultTimestamp ?? -1
    this.#encoder.begin(options)
  }

  /** Records so far. */
  get count(): number {
    return this.#encoder.openCount
  }

  /** Bytes so far, header included, not yet compressed. */
  get sizeBytes(): number {
    return this.#encoder.openSizeBytes
  }

  /**
   * Adds a record.
   *
   * @param offsetDelta distance from the base offset, where the batch has gaps; must rise
   * @throws {InvalidArgumentError} when a field has no place in the format; nothing is added then.
   */
  append(record: RecordInput, offsetDelta?: number): this {
    this.#encoder.append(record, this.#defaultTimestamp, offsetDelta)
    return this
  }

  /**
   * The batch; with it the builder is used up.
   *
   * @throws {InvalidArgumentError} when an override is outside its range, or there is no record and
   *   no `lastOffsetDelta`.
   * @throws {NativeModuleError} when the codec's package cannot be loaded.
   */
  build(overrides: FinishOverrides = {}): RecordBatch {
    assert(this.#encoder.isOpen, 'a builder builds one batch')
    this.#encoder.finish(overrides)
    return RecordBatch.ofBuilder(Buffer.from(this.#encoder.bytes()))
  }
}
