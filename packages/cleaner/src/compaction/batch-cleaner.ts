import type { AbortedTransaction } from '@varve/log'
import {
  type Batch,
  BatchEncoder,
  emptyBatchOf,
  type LogRecord,
  type Offset,
  RecordBatch,
} from '@varve/record'
import { isExpired } from '../policy/record-expiry.ts'
import type { CompactionTask, ProducerTail } from './compaction-task.ts'
import type { OffsetMap } from './offset-map.ts'
import type { TransactionFates } from './transaction-fates.ts'

/** What is left of a batch. */
export interface CleanedBatch {
  /** The batch itself where nothing of it changes; a view that the next batch overwrites else. */
  readonly batch: Batch
  /** The transaction whose abort marker this is, to be noted in the transaction index. */
  readonly aborted: AbortedTransaction | null
}

/**
 * Decides what of each batch survives compaction, by Kafka's rules (Cleaner.cleanInto and
 * MemoryRecords.filterTo), and builds it. Batches are given in the order of the log.
 */
export class BatchCleaner {
  readonly #task: CompactionTask
  readonly #map: OffsetMap
  readonly #latestOffset: Offset
  readonly #fates: TransactionFates
  readonly #producers: ReadonlyMap<number, ProducerTail>
  readonly #encoder = new BatchEncoder({ initialBytes: 64 * 1024 })
  /** Offsets of the records that stay, of the batch that is looked at; used again for the next. */
  readonly #retained: Offset[] = []
  /** Records met, kept, and met without a key. */
  readonly counts: { input: number; output: number; keyless: number } = {
    input: 0,
    output: 0,
    keyless: 0,
  }

  constructor(
    task: CompactionTask,
    dirty: { readonly map: OffsetMap; readonly latestOffset: Offset },
    fates: TransactionFates,
  ) {
    this.#task = task
    this.#map = dirty.map
    this.#latestOffset = dirty.latestOffset
    this.#fates = fates
    this.#producers = new Map(task.producers.map((tail) => [tail.producerId, tail]))
  }

  /** What is left of the batch; null when that is nothing. */
  clean(batch: Batch): CleanedBatch | null {
    const { isDiscardable, aborted } = this.#fates.see(batch)
    const horizon = batch.deleteHorizon
    const isOver = horizon !== null && horizon <= this.#task.nowMs
    if (isDiscardable && (!batch.isControl || isOver)) {
      this.counts.input += batch.count ?? 0
      return this.#emptied(batch)
    }
    // Decompressed once, and gone through a second time where something of it goes.
    const records = batch.records({ reuseRecord: true })
    const retained = this.#retained
    retained.length = 0
    let count = 0
    let hasTombstone = false
    const { isControl } = batch
    for (const record of records) {
      count += 1
      if (!isControl && !this.#isRetained(record, isOver)) continue
      retained.push(record.offset)
      if (record.valueSize < 0) hasTombstone = true
    }
    this.counts.input += count
    this.counts.output += retained.length
    if (retained.length === 0) return this.#emptied(batch)
    const isDying = hasTombstone && batch.baseOffset <= this.#latestOffset
    const needsHorizon = horizon === null && (isDying || isDiscardable)
    if (retained.length === count && !needsHorizon) return { batch, aborted }
    const newHorizon = this.#task.nowMs + this.#task.deleteRetentionMs
    return { batch: this.#rebuilt(batch, records, needsHorizon ? newHorizon : horizon), aborted }
  }

  /** Kafka's Cleaner.shouldRetainRecord, and the time to live. `isOver`: tombstones can go. */
  #isRetained(record: LogRecord, isOver: boolean): boolean {
    if (record.offset > this.#latestOffset) return true
    if (record.keySize < 0) {
      this.counts.keyless += 1
      return false
    }
    const { recordTtlMs, nowMs } = this.#task
    // Its predecessors go in the same round or have gone before: none of them can come back.
    if (isExpired(record, recordTtlMs, nowMs)) return false
    if (record.valueSize < 0 && isOver) return false
    const { bytes, keyAt } = record
    return record.offset >= this.#map.get(bytes, keyAt, keyAt + record.keySize)
  }

  /** Without its records a batch stays only for what it says of an active producer. */
  #emptied(batch: Batch): CleanedBatch | null {
    if (!(batch instanceof RecordBatch) || !this.#isLastOfProducer(batch)) return null
    return { batch: batch.count === 0 ? batch : emptyBatchOf(batch), aborted: null }
  }

  #isLastOfProducer(batch: RecordBatch): boolean {
    const tail = this.#producers.get(batch.producerId)
    if (tail === undefined) return false
    if (tail.lastDataOffset !== null) return batch.lastOffset === tail.lastDataOffset
    return batch.isControl && batch.producerEpoch === tail.epoch
  }

  /** Of those records whose offsets are in `#retained`. */
  #rebuilt(batch: Batch, records: Iterable<LogRecord>, deleteHorizon: number | null): RecordBatch {
    const encoder = this.#encoder
    const { baseOffset, lastOffset, leaderEpoch, producerId, producerEpoch, baseSequence } = batch
    const isLogAppendTime = batch.timestampType === 'LogAppendTime'
    encoder.clear()
    encoder.begin({
      compressionType: batch.compressionType,
      timestampType: isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
      baseOffset,
      leaderEpoch,
      producerId,
      producerEpoch,
      baseSequence,
      isTransactional: batch.isTransactional,
      isControl: batch.isControl,
      deleteHorizon,
    })
    let index = 0
    for (const record of records) {
      if (record.offset !== this.#retained[index]) continue
      index += 1
      const { key, value, headers, timestamp } = record
      encoder.append({ key, value, headers, timestamp }, timestamp, record.offset - baseOffset)
    }
    encoder.finish({
      lastOffsetDelta: lastOffset - baseOffset,
      ...(isLogAppendTime && { maxTimestamp: batch.maxTimestamp }),
    })
    return new RecordBatch(encoder.bytes(), batch.position)
  }
}
