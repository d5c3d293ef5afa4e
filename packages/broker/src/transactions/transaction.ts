import type { CommittedOffset, OffsetsOwner } from '../consuming/committed-offsets.ts'
import type { Sendable } from '../producing/producer.ts'
import type { ProducerRecord, SentBatch, SentRecord } from '../producing/sent.ts'

/** Where a transaction's work is done: its producer. */
export interface TransactionWork<Key, Value> {
  send(
    topic: string,
    records: ProducerRecord<Key, Value> | ReadonlyArray<ProducerRecord<Key, Value>>,
    partition: number | undefined,
  ): Promise<SentRecord | readonly SentBatch[]>
  sendOffsets(of: string | OffsetsOwner, offsets: readonly CommittedOffset[]): Promise<void>
  end(outcome: 'commit' | 'abort'): Promise<void>
}

/**
 * Records and offsets that count all together or not at all, whatever crashes. Made by
 * `producer.begin()` or `producer.transaction()`.
 *
 * Readers at isolation `committed` see nothing of it before it is committed, and nothing of it ever
 * when it is aborted. One that is left without a decision (`await using`, a crash, its time-out) is
 * aborted.
 */
export class Transaction<Key = Sendable, Value = Sendable> implements AsyncDisposable {
  readonly #work: TransactionWork<Key, Value>
  #ending: Promise<void> | null = null

  /** @internal Transactions are made by their producer. */
  constructor(work: TransactionWork<Key, Value>) {
    this.#work = work
  }

  /** As `Producer.send`. Resolves when the record is written; the commit makes it durable. */
  send(
    topic: string,
    record: ProducerRecord<Key, Value>,
    options?: { readonly partition?: number },
  ): Promise<SentRecord>
  send(
    topic: string,
    records: ReadonlyArray<ProducerRecord<Key, Value>>,
    options?: { readonly partition?: number },
  ): Promise<readonly SentBatch[]>
  send(
    topic: string,
    records: ProducerRecord<Key, Value> | ReadonlyArray<ProducerRecord<Key, Value>>,
    options?: { readonly partition?: number },
  ): Promise<SentRecord | readonly SentBatch[]> {
    return this.#work.send(topic, records, options?.partition)
  }

  /**
   * Commits a group's offsets with the transaction: what was consumed and what was made of it count
   * together. The offset is that of the next record to be consumed.
   *
   * @param of the consumer that consumed: when its partitions have gone to another member of the
   *   group, this rejects, and the transaction can only be aborted. Or the name of a group, of
   *   which nothing is checked.
   */
  sendOffsets(of: string | OffsetsOwner, offsets: readonly CommittedOffset[]): Promise<void> {
    return this.#work.sendOffsets(of, offsets)
  }

  /**
   * Makes everything that was sent count, durably, when it resolves.
   *
   * Rejects with TransactionFailedError when something that was sent did not arrive (abort then),
   * with TransactionPendingError when it is committed but not all partitions could be told,
   * ProducerFencedError, TransactionEndedError, LogOfflineError.
   */
  async commit(): Promise<void> {
    // A commit that failed before anything was decided leaves aborting possible.
    const ending = this.#work.end('commit')
    this.#ending = ending
    try {
      await ending
    } catch (error) {
      if (this.#ending === ending) this.#ending = null
      throw error
    }
  }

  /** Makes nothing of it count. */
  async abort(): Promise<void> {
    this.#ending = this.#work.end('abort')
    await this.#ending
  }

  /** Aborts it, unless it has been committed or aborted. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ending === null) await this.abort()
  }
}
