import type { Acks, Clock } from '@varve/log'
import type { Logger } from '../base/logger.ts'
import { transactionsTopic } from '../base/topic-names.ts'
import { partitionForGroup } from '../groups/group-partition.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import { type ReadTransactionRecord, transactionRecords } from './transaction-reading.ts'
import {
  encodeTransactionKey,
  encodeTransactionValue,
  type TransactionRecord,
} from './transaction-records.ts'

/** One disk has one flush at a time: with one partition, all transactions' decisions share it. */
const statePartitions = 1

/** The topic `__transaction_state`, made when something is first noted there. */
export class TransactionLog {
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #logger: Logger
  #topic: Topic | null

  constructor(topics: Topics, clock: Clock, logger: Logger) {
    this.#topics = topics
    this.#clock = clock
    this.#logger = logger
    this.#topic = topics.find(transactionsTopic)
  }

  /** What it says, of each id in order. */
  async *records(): AsyncGenerator<ReadTransactionRecord, void, undefined> {
    const usable = this.#topic?.partitions.filter(({ isUsable }) => isUsable) ?? []
    for (const { log } of usable) yield* transactionRecords(log, this.#logger)
  }

  async write(id: string, record: TransactionRecord, acks: Acks): Promise<void> {
    await this.#append(id, encodeTransactionValue(record), acks)
  }

  /** Forgets an id, with a tombstone that is not flushed. */
  async forget(id: string): Promise<void> {
    await this.#append(id, null, 'written')
  }

  async #append(id: string, value: Buffer | null, acks: Acks): Promise<void> {
    this.#topic ??= await this.#topics.internal(transactionsTopic, statePartitions)
    const { partitions } = this.#topic
    const { log } = this.#topic.partition(partitionForGroup(id, partitions.length))
    const timestamp = this.#clock.now()
    await log.append({ key: encodeTransactionKey(id), value, timestamp }, { acks })
  }
}
