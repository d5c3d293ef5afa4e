import { RecordBatchBuilder } from '@varve/record'
import { addOffsetsToTxn } from '../../src/protocol/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../src/protocol/apis/add-partitions-to-txn.ts'
import { endTxn } from '../../src/protocol/apis/end-txn.ts'
import { initProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { txnOffsetCommit } from '../../src/protocol/apis/txn-offset-commit.ts'
import type { WireClient } from '../wire-client.ts'

/** Whoever sends a request and gives back what was answered. */
export type WireCaller = Pick<WireClient, 'call'>

/** In which version each API is spoken. */
export interface WireVersions {
  readonly init: number
  readonly addPartitions: number
  readonly addOffsets: number
  readonly commitOffsets: number
  readonly produce: number
  readonly end: number
}

const newest: WireVersions = {
  ...{ init: 5, addPartitions: 3, addOffsets: 4, commitOffsets: 4, produce: 11, end: 4 },
}

/** A transactional producer that says what a test tells it to, and returns error codes. */
export class WireProducer {
  readonly #client: WireCaller
  readonly #versions: WireVersions
  readonly transactionalId: string
  producerId = -1
  producerEpoch = -1

  constructor(client: WireCaller, transactionalId: string, versions: Partial<WireVersions> = {}) {
    this.#client = client
    this.transactionalId = transactionalId
    this.#versions = { ...newest, ...versions }
  }

  /** @param isGoingOn whether it says what it has, for another epoch */
  async init(transactionTimeoutMs = 60_000, isGoingOn = false): Promise<number> {
    const { transactionalId, producerId, producerEpoch } = this
    const answer = await this.#client.call(initProducerId, this.#versions.init, {
      ...{ transactionalId, transactionTimeoutMs },
      ...(isGoingOn && { producerId, producerEpoch }),
    })
    if (answer.errorCode === 0) {
      this.producerId = answer.producerId
      this.producerEpoch = answer.producerEpoch
    }
    return answer.errorCode
  }

  /** The codes of the partitions, in order. */
  async addPartitions(topic: string, partitions: readonly number[]): Promise<readonly number[]> {
    const { results } = await this.#client.call(addPartitionsToTxn, this.#versions.addPartitions, {
      ...this.#identity,
      topics: [{ name: topic, partitions }],
    })
    return results.flatMap(({ resultsByPartition }) => {
      return resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode)
    })
  }

  async addOffsets(groupId: string): Promise<number> {
    const request = { ...this.#identity, groupId }
    const { addOffsets } = this.#versions
    return (await this.#client.call(addOffsetsToTxn, addOffsets, request)).errorCode
  }

  /** The code of the one offset. */
  async commitOffset(
    groupId: string,
    place: { readonly topic: string; readonly partition: number; readonly offset: number },
    member: { readonly memberId?: string; readonly generationId?: number } = {},
    metadata: string | null = '',
  ): Promise<number | undefined> {
    const { topic, partition: partitionIndex, offset: committedOffset } = place
    const committed = { partitionIndex, committedOffset, committedMetadata: metadata }
    const { topics } = await this.#client.call(txnOffsetCommit, this.#versions.commitOffsets, {
      ...this.#identity,
      ...{ groupId, ...member },
      topics: [{ name: topic, partitions: [committed] }],
    })
    return topics[0]?.partitions[0]?.errorCode
  }

  /** Sends one record to a partition, acknowledged when it is durable. */
  async send(
    topic: string,
    index: number,
    value: string,
    baseSequence: number,
    acks = -1,
  ): Promise<number | undefined> {
    const partitionData = [{ index, records: this.batch(value, baseSequence) }]
    const { transactionalId } = this
    const request = { transactionalId, acks, timeoutMs: 1000 }
    const topicData = [{ name: topic, partitionData }]
    const answer = await this.#client.call(produce, this.#versions.produce, {
      ...request,
      topicData,
    })
    return answer.responses[0]?.partitionResponses[0]?.errorCode
  }

  async end(committed: boolean): Promise<number> {
    const request = { ...this.#identity, committed }
    return (await this.#client.call(endTxn, this.#versions.end, request)).errorCode
  }

  /** A transactional batch of one record. */
  batch(value: string, baseSequence: number): Buffer {
    const { producerId, producerEpoch } = this
    const options = { producerId, producerEpoch, baseSequence, isTransactional: true }
    return new RecordBatchBuilder({ ...options, defaultTimestamp: 1 }).append({ value }).build()
      .bytes as Buffer
  }

  get #identity() {
    const { transactionalId, producerId, producerEpoch } = this
    return { transactionalId, producerId, producerEpoch }
  }
}
