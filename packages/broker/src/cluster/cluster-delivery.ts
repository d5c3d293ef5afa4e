import type { Connection } from '@platformatic/kafka'
import { type AppendResult, BatchTooLargeError } from '@varve/log'
import { incrementSequence, type RecordBatch } from '@varve/record'
import { type ProducerFencedError, TopicNotFoundError } from '../base/broker-errors.ts'
import { partitionName } from '../base/topic-partition.ts'
import type { ProducerIdentity } from '../producing/producer-identity.ts'
import type { BatchDelivery, DeliveryOptions } from '../producing/sending-home.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError, ClusterUnavailableError } from './cluster-errors.ts'
import type { ClusterPartition, ClusterTopics } from './cluster-topics.ts'
import type { ProduceAnswer } from './kafka-client.ts'
import { kafkaCodes } from './kafka-codes.ts'
import { BrokerAwayError } from './kafka-failures.ts'

/** What deliveries of one producer have in common. */
export interface ClusterDeliveryContext {
  readonly cluster: Cluster
  readonly topics: ClusterTopics
  /** Null outside transactions. */
  readonly transactionalId: string | null
  /** An identity to go on with, in one partition; null where only a new transaction helps. */
  readonly renew: ((identity: ProducerIdentity) => Promise<ProducerIdentity>) | null
  /** Somebody else has the producer's name or transactional id. */
  readonly fenced: (why: string) => ProducerFencedError
}

/** Kafka's `acks` of ours: nobody, the leader, all replicas that are in sync. */
const acksOf = { none: 0, written: 1, flushed: -1 } as const

/**
 * Hands a producer's batches to the broker that leads their partition, one at a time, and again
 * while it does not answer. A batch that may have arrived is sent again under its number, so that
 * it is appended once; where that does not become known in time, numbering begins anew with
 * another identity.
 */
export class ClusterDelivery implements BatchDelivery {
  readonly #context: ClusterDeliveryContext
  readonly #partition: ClusterPartition
  readonly #options: DeliveryOptions
  #identity: ProducerIdentity
  #sequence = 0
  /** What the cluster has may not be what was counted. */
  #doubt: { readonly error: unknown } | null = null
  #last: Promise<unknown> = Promise.resolve()
  readonly #abort = new AbortController()
  #abandoned: { readonly error: unknown } | null = null

  constructor(
    context: ClusterDeliveryContext,
    partition: ClusterPartition,
    identity: ProducerIdentity,
    options: DeliveryOptions,
  ) {
    this.#context = context
    this.#partition = partition
    this.#identity = identity
    this.#options = options
  }

  get nextSequence(): number {
    return this.#isNumbered ? this.#sequence : -1
  }

  deliver(batch: RecordBatch): Promise<AppendResult> {
    const delivered = this.#last.then(() => this.#deliver(batch))
    this.#last = delivered.catch(() => undefined)
    return delivered
  }

  abandon(error: unknown): void {
    this.#abandoned = { error }
    this.#abort.abort()
  }

  get #isNumbered(): boolean {
    return this.#identity.producerId >= 0
  }

  async #deliver(batch: RecordBatch): Promise<AppendResult> {
    if (this.#abandoned !== null) throw this.#abandoned.error
    if (this.#doubt !== null) await this.#renew(this.#doubt.error)
    if (this.#isNumbered) this.#stamp(batch)
    try {
      return await this.#send(batch)
    } catch (error) {
      const isForgotten = isLostNumbering(error) && this.#doubt === null
      if (!isForgotten || this.#context.renew === null) throw this.#failed(batch, error)
    }
    // The broker has forgotten the producer, and so does not have the batch.
    await this.#renew(null)
    this.#stamp(batch)
    try {
      return await this.#send(batch)
    } catch (error) {
      throw this.#failed(batch, error)
    }
  }

  #stamp(batch: RecordBatch): void {
    const { producerId, producerEpoch } = this.#identity
    const isAlready = batch.producerId === producerId && batch.producerEpoch === producerEpoch
    if (isAlready && batch.baseSequence === this.#sequence) return
    batch.stampProducer(producerId, producerEpoch, this.#sequence)
  }

  async #send(batch: RecordBatch): Promise<AppendResult> {
    const { cluster, topics } = this.#context
    let failures = 0
    const attempt = async (): Promise<AppendResult> => {
      if (failures > 0) await topics.refresh()
      if (this.#partition.isDeleted) throw new TopicNotFoundError(this.#partition.topic)
      failures++
      return this.#produce(batch)
    }
    const name = partitionName(this.#partition)
    const sending = cluster.retrying(`sending to ${name}`, attempt, {
      timeoutMs: this.#options.deliveryTimeoutMs,
      signal: this.#abort.signal,
    })
    const result = await sending.catch((error: unknown) => {
      // It is there, so far back that the broker does not know where.
      if (isDuplicate(error)) return { baseOffset: -1, lastOffset: -1, isDuplicate: true }
      // Sent more than once, one of them may have arrived: its number cannot be given again.
      if (failures > 1) this.#doubt ??= { error }
      throw error
    })
    if (this.#isNumbered) this.#sequence = incrementSequence(this.#sequence, batch.count)
    return result
  }

  async #produce(batch: RecordBatch): Promise<AppendResult> {
    const { cluster } = this.#context
    const { leader, partition } = this.#partition
    const answer = await cluster.on(leader, (connection) => this.#request(connection, batch))
    if (answer === null) return { baseOffset: -1, lastOffset: -1, isDuplicate: false }
    const found = answer.responses[0]?.partitionResponses.find(({ index }) => index === partition)
    if (found === undefined) throw new BrokerAwayError('the broker did not answer what was asked')
    const baseOffset = Number(found.baseOffset)
    const lastOffset = baseOffset < 0 ? -1 : baseOffset + batch.count - 1
    return { baseOffset, lastOffset, isDuplicate: false }
  }

  #request(connection: Connection, batch: RecordBatch): Promise<ProduceAnswer | null> {
    const { cluster, transactionalId } = this.#context
    const { client, options } = cluster
    const versions = [client.produceV11.api, client.produceV10.api, client.produceV9.api]
    const api = cluster.version('Produce', versions)
    const acks = acksOf[this.#options.acks]
    const { topic, partition } = this.#partition
    const createPayload = () => {
      const writer = client.Writer.create()
        .appendString(transactionalId)
        .appendInt16(acks)
        .appendInt32(options.requestTimeoutMs)
        .appendArray([topic], (topics, name) => {
          topics.appendString(name).appendArray([partition], (partitions, index) => {
            partitions.appendInt32(index).appendBytes(batch.bytes)
          })
        })
        .appendTaggedFields()
      if (acks === 0) writer.context['noResponse'] = true
      return writer
    }
    return new Promise((resolve, reject) => {
      connection.send(
        api.key,
        api.version,
        createPayload,
        client.produceV11.parseResponse,
        true,
        true,
        (error, answer) => {
          if (error !== null) reject(error)
          else resolve(acks === 0 ? null : (answer ?? null))
        },
      )
    })
  }

  async #renew(doubt: unknown): Promise<void> {
    if (!this.#isNumbered) return
    const { renew } = this.#context
    // The transaction has failed: the next one has another identity.
    if (renew === null) throw doubt
    this.#identity = await renew(this.#identity)
    this.#sequence = 0
    this.#doubt = null
  }

  /** What the producer's program is told. */
  #failed(batch: RecordBatch, error: unknown): unknown {
    if (this.#abandoned !== null) return this.#abandoned.error
    if (!(error instanceof ClusterRefusedError)) {
      if (error instanceof ClusterUnavailableError) this.#doubt ??= { error }
      return error
    }
    switch (error.kafkaErrorCode) {
      case kafkaCodes.messageTooLarge:
      case kafkaCodes.recordListTooLarge: {
        const { maxMessageBytes } = this.#partition.settings
        return new BatchTooLargeError(batch.sizeBytes, 'maxMessageBytes', maxMessageBytes)
      }
      case kafkaCodes.invalidProducerEpoch:
      case kafkaCodes.producerFenced:
        return this.#context.fenced(error.message)
      case kafkaCodes.outOfOrderSequenceNumber:
      case kafkaCodes.unknownProducerId:
        this.#doubt ??= { error }
        return error
      default:
        return error
    }
  }
}

function isDuplicate(error: unknown): boolean {
  return (
    error instanceof ClusterRefusedError &&
    error.kafkaErrorCode === kafkaCodes.duplicateSequenceNumber
  )
}

function isLostNumbering(error: unknown): boolean {
  if (!(error instanceof ClusterRefusedError)) return false
  const { kafkaErrorCode } = error
  return (
    kafkaErrorCode === kafkaCodes.outOfOrderSequenceNumber ||
    kafkaErrorCode === kafkaCodes.unknownProducerId
  )
}
