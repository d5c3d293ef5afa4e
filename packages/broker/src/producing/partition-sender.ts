import { type AppendResult, BatchTooLargeError, type Clock } from '@varve/log'
import {
  BatchEncoder,
  type CompressionType,
  InvalidArgumentError,
  RecordBatch,
  type RecordInput,
  type Timestamp,
} from '@varve/record'
import { InvalidTimestampError } from '../base/broker-errors.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { ResolvedSendingOptions } from './producer-options.ts'
import type { BatchDelivery, TargetPartition } from './sending-home.ts'
import type { SentBatch, SentRecord, Settle } from './sent.ts'

/** What a sender needs of the producer that it is part of. */
export interface SenderHost {
  readonly options: ResolvedSendingOptions
  readonly identity: ProducerIdentity
  readonly isTransactional: boolean
  readonly clock: Clock
  /** The time that records get which have none. */
  now(): Timestamp
  /** Has the sender's open batch sent at the end of this turn, or after the linger time. */
  schedule(sender: PartitionSender): void
  /** What has to be done before a batch may be appended; null, mostly. */
  admit(sender: PartitionSender): Promise<void> | null
  /** A batch of so many bytes is on its way. */
  sent(sender: PartitionSender, sizeBytes: number): void
  /** It has arrived, or has not. */
  settled(sizeBytes: number, error: unknown): void
}

/** Those who wait for a batch, in the order of their records. */
interface Waiting {
  /** Of a single record its settling, of several records theirs. */
  readonly settles: Array<Settle<never>>
  /** Records of each: 1 for a single one, -n for n that were sent together. */
  readonly counts: number[]
}

const noWaiting = (): Waiting => ({ settles: [], counts: [] })

/**
 * The batches of one producer for one partition. Records are encoded when they are sent, into the
 * open batch. It goes when it is full; else at the end of the turn in which it was begun, but not
 * while another batch is on its way: what is sent meanwhile shares the next one, as in the log's
 * own group commit.
 */
export class PartitionSender {
  readonly partition: TargetPartition
  readonly #host: SenderHost
  readonly #delivery: BatchDelivery
  readonly #encoder = new BatchEncoder({ initialBytes: 4096 })
  #waiting: Waiting = noWaiting()
  #inFlight = 0
  /** Batches that wait to be admitted. */
  #gated = 0
  #gate: Promise<void> = Promise.resolve()

  constructor(partition: TargetPartition, delivery: BatchDelivery, host: SenderHost) {
    this.partition = partition
    this.#delivery = delivery
    this.#host = host
  }

  /** Throws what is wrong with the record. */
  send(record: RecordInput): Promise<SentRecord> {
    this.#encode([record])
    return new Promise((resolve) => this.#wait(resolve, 1))
  }

  /** All of them in one batch. Throws what is wrong with one of the records. */
  sendAll(records: readonly RecordInput[]): Promise<SentBatch> {
    this.#encode(records)
    return new Promise((resolve) => this.#wait(resolve, -records.length))
  }

  /** Whether a batch waits to be sent. */
  get isOpen(): boolean {
    return this.#encoder.isOpen
  }

  /** Whether the open batch had better wait for the one on its way. */
  get isHeld(): boolean {
    return this.#inFlight > 0
  }

  /** Sends the open batch. */
  drain(): void {
    if (!this.#encoder.isOpen) return
    const waiting = this.#waiting
    this.#waiting = noWaiting()
    let batch: RecordBatch
    try {
      this.#encoder.finish()
      batch = RecordBatch.ofBuilder(Buffer.from(this.#encoder.bytes()))
    } catch (error) {
      // The codec's native package cannot be loaded.
      this.#encoder.abandon()
      this.#encoder.clear()
      this.#host.sent(this, 0)
      this.#settle(waiting, 0, rejected(error), error)
      return
    }
    this.#encoder.clear()
    this.#inFlight++
    void this.#deliver(batch, waiting)
  }

  /** Gives up the open batch, and what waits for its partition to come back. */
  abandon(error: unknown): void {
    if (this.#encoder.isOpen) {
      this.#encoder.abandon()
      const failure = rejected(error)
      const { settles } = this.#waiting
      this.#waiting = noWaiting()
      for (const settle of settles) settle(failure)
    }
    this.#delivery.abandon(error)
  }

  async #deliver(batch: RecordBatch, waiting: Waiting): Promise<void> {
    const { sizeBytes } = batch
    this.#host.sent(this, sizeBytes)
    try {
      const admission = this.#host.admit(this)
      if (admission !== null || this.#gated > 0) await this.#passGate(admission)
      const result = await this.#delivery.deliver(batch)
      this.#inFlight--
      this.#settle(waiting, sizeBytes, result, null)
    } catch (error) {
      this.#inFlight--
      this.#settle(waiting, sizeBytes, rejected(error), error)
    }
  }

  /** Batches pass in the order in which they came. */
  async #passGate(admission: Promise<void> | null): Promise<void> {
    this.#gated++
    const passed = this.#gate.then(() => admission ?? undefined)
    this.#gate = passed.catch(() => undefined)
    try {
      await passed
    } finally {
      this.#gated--
    }
  }

  #settle(
    { settles, counts }: Waiting,
    sizeBytes: number,
    result: AppendResult | Promise<never>,
    error: unknown,
  ): void {
    if (result instanceof Promise) {
      for (const settle of settles) settle(result)
    } else {
      const { topic, partition } = this.partition
      const { isDuplicate } = result
      let offset = result.baseOffset
      for (let index = 0; index < settles.length; index++) {
        const count = counts[index] ?? 0
        const settle = settles[index] as Settle<unknown>
        const isKnown = offset >= 0
        if (count > 0) settle({ topic, partition, offset, isDuplicate })
        else {
          const lastOffset = isKnown ? offset - count - 1 : -1
          settle({ topic, partition, baseOffset: offset, lastOffset, isDuplicate })
        }
        if (isKnown) offset += Math.abs(count)
      }
    }
    this.#host.settled(sizeBytes, error)
    // Whoever has just been told may send again in this turn, and shares the next batch.
    if (this.#encoder.isOpen) this.#host.schedule(this)
  }

  #wait(settle: Settle<never>, count: number): void {
    this.#waiting.settles.push(settle)
    this.#waiting.counts.push(count)
    if (this.#encoder.openSizeBytes >= this.#host.options.batchBytes) this.drain()
    else if (this.#waiting.settles.length === 1 && this.#inFlight === 0) this.#host.schedule(this)
  }

  /** Into the open batch, or into a new one; all of the records or none. */
  #encode(records: readonly RecordInput[]): void {
    const { maxMessageBytes, segmentBytes } = this.partition.settings
    const sizeMax = Math.min(maxMessageBytes, segmentBytes)
    const now = this.#host.now()
    for (const record of records) {
      if (typeof record !== 'object' || record === null) refuseRecord(record)
      if (record.timestamp !== undefined) this.#checkTimestamp(record.timestamp, now)
    }
    const encoder = this.#encoder
    if (encoder.isOpen) {
      if (this.#encodeInto(records, now, sizeMax) === null) return
      this.drain()
    }
    this.#begin()
    const sizeBytes = this.#encodeInto(records, now, sizeMax)
    if (sizeBytes === null) return
    encoder.abandon()
    const limitName = sizeMax === maxMessageBytes ? 'maxMessageBytes' : 'segmentBytes'
    throw new BatchTooLargeError(sizeBytes, limitName, sizeMax)
  }

  #begin(): void {
    const { identity, isTransactional } = this.#host
    this.#encoder.begin({
      compressionType: this.#compressionType,
      producerId: identity.producerId,
      producerEpoch: identity.producerEpoch,
      baseSequence: this.#delivery.nextSequence,
      isTransactional,
    })
  }

  /** Null, or the size that the batch would have had where that is too large. */
  #encodeInto(records: readonly RecordInput[], now: Timestamp, sizeMax: number): number | null {
    const encoder = this.#encoder
    encoder.mark()
    try {
      for (const record of records) {
        encoder.append(record, now)
        if (encoder.openSizeBytes > sizeMax) break
      }
    } catch (error) {
      encoder.rollback()
      if (encoder.openCount === 0) encoder.abandon()
      throw error
    }
    const sizeBytes = encoder.openSizeBytes
    if (sizeBytes <= sizeMax) return null
    encoder.rollback()
    return sizeBytes
  }

  get #compressionType(): CompressionType {
    const { compressionType } = this.partition.settings
    if (compressionType === 'producer') return this.#host.options.compression
    return compressionType === 'uncompressed' ? 'none' : compressionType
  }

  #checkTimestamp(timestamp: Timestamp, now: Timestamp): void {
    const { settings } = this.partition
    if (settings.messageTimestampType === 'LogAppendTime') return
    const { messageTimestampBeforeMaxMs: before, messageTimestampAfterMaxMs: after } = settings
    if (before >= 0 && timestamp < now - before) {
      throw new InvalidTimestampError(timestamp, 'messageTimestampBeforeMaxMs', before)
    }
    if (after >= 0 && timestamp > now + after) {
      throw new InvalidTimestampError(timestamp, 'messageTimestampAfterMaxMs', after)
    }
  }
}

function rejected(error: unknown): Promise<never> {
  const failure = Promise.reject(error)
  // Who waits has a promise of their own to be handled.
  failure.catch(() => undefined)
  return failure
}

function refuseRecord(record: unknown): never {
  throw new InvalidArgumentError('record', record, 'must be an object with a key, a value, headers')
}
