import type { Timer } from '@varve/log'
import type { Timestamp } from '@varve/record'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { ProducerIdentity } from '../producing/producer-identity.ts'
import type { TransactionRecord, TransactionStatus } from './transaction-records.ts'

/** Whoever uses a transactional id now. */
export interface TransactionSession {
  readonly identity: ProducerIdentity
  /** Nothing more may be sent. */
  fenced(error: unknown): void
}

/** From this epoch on a producer gets another id; one more is left to fence it. */
const epochMax = 2 ** 15 - 2

/** A transactional id, or the name of a producer, as it is now. */
export interface TransactionDescription extends TransactionRecord {
  readonly transactionalId: string
}

/** What the coordinator knows of one transactional id; as a record it is what the log has. */
export class TransactionState {
  readonly id: string
  producerId = -1
  previousProducerId = -1
  producerEpoch = -1
  /**
   * The epoch that the producer said it had when it was given this one; -1 where it said none. Not
   * noted: as with Kafka, a restart forgets it.
   */
  lastProducerEpoch = -1
  timeoutMs = 60_000
  status: TransactionStatus = 'empty'
  readonly partitions: Map<string, TopicPartition> = new Map()
  lastUpdateMs: Timestamp = -1
  startMs: Timestamp = -1
  session: TransactionSession | null = null
  /** Ends the transaction when it takes too long. */
  timer: Timer | null = null
  /** The note that the last transaction is complete, on its way to the disk. */
  completing: Promise<void> | null = null
  /** Its transaction is about to be decided: nothing more goes into it. */
  isEnding = false
  #last: Promise<unknown> = Promise.resolve()
  #asked = 0

  constructor(id: string) {
    this.id = id
  }

  /** Runs one thing after the other. */
  exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#asked += 1
    const result = this.#last.then(run).finally(() => {
      this.#asked -= 1
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when nothing runs that has been asked for. */
  async settled(): Promise<void> {
    await this.#last
  }

  /** Whether nothing runs, and nothing waits to. */
  get isIdle(): boolean {
    return this.#asked === 0
  }

  /** Whether its fate is decided, but not all of its partitions have been told. */
  get isPrepared(): boolean {
    return this.status === 'prepareCommit' || this.status === 'prepareAbort'
  }

  /** Whether no producer has had it yet, or it was forgotten. */
  get isUnused(): boolean {
    return this.producerId < 0
  }

  get identity(): ProducerIdentity {
    return { producerId: this.producerId, producerEpoch: this.producerEpoch }
  }

  isOf({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return this.producerId === producerId && this.producerEpoch === producerEpoch
  }

  /** Whether its identity is what a producer got when it went on from this one. */
  isSucceeding({ producerId, producerEpoch }: ProducerIdentity): boolean {
    if (producerEpoch < 0 || producerEpoch !== this.lastProducerEpoch) return false
    if (producerId === this.producerId) return true
    return producerId === this.previousProducerId && producerEpoch >= epochMax
  }

  /**
   * Another epoch; when those of its producer id are used up, another id.
   *
   * @param from what its producer goes on from; null where it says nothing
   */
  async raiseEpoch(from: ProducerIdentity | null, nextId: () => Promise<number>): Promise<void> {
    if (this.producerId >= 0 && this.producerEpoch < epochMax) this.producerEpoch++
    else {
      const producerId = await nextId()
      this.previousProducerId = this.producerId
      this.producerId = producerId
      this.producerEpoch = 0
    }
    this.lastProducerEpoch = from?.producerEpoch ?? -1
  }

  has(partition: TopicPartition): boolean {
    return this.partitions.has(partitionName(partition))
  }

  add(partition: TopicPartition): void {
    this.partitions.set(partitionName(partition), partition)
  }

  /** As an id that was never used. */
  reset(): void {
    this.producerId = -1
    this.previousProducerId = -1
    this.producerEpoch = -1
    this.lastProducerEpoch = -1
    this.status = 'empty'
    this.partitions.clear()
    this.lastUpdateMs = -1
    this.startMs = -1
  }

  load(record: TransactionRecord): void {
    this.producerId = record.producerId
    this.previousProducerId = record.previousProducerId
    this.producerEpoch = record.producerEpoch
    this.timeoutMs = record.timeoutMs
    this.status = record.status
    this.lastUpdateMs = record.lastUpdateMs
    this.startMs = record.startMs
    this.partitions.clear()
    for (const partition of record.partitions) this.add(partition)
  }

  describe(): TransactionDescription {
    return { transactionalId: this.id, ...this.record() }
  }

  record(): TransactionRecord {
    const { producerId, previousProducerId, producerEpoch, timeoutMs, status } = this
    const { lastUpdateMs, startMs } = this
    const partitions = [...this.partitions.values()]
    return {
      ...{ producerId, previousProducerId, producerEpoch, timeoutMs, status, partitions },
      ...{ lastUpdateMs, startMs },
    }
  }
}
