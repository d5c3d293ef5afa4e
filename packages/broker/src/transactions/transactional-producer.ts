import { InvalidArgumentError } from '@varve/record'
import type { CommittedOffset, OffsetsOwner } from '../consuming/committed-offsets.ts'
import { Dispatcher } from '../producing/dispatcher.ts'
import type { PartitionSender } from '../producing/partition-sender.ts'
import type { Sendable } from '../producing/producer.ts'
import { type ProducerOptions, resolveSendingOptions } from '../producing/producer-options.ts'
import { RecordSerializer } from '../producing/record-serializer.ts'
import type { ProducingContext, TargetPartition } from '../producing/sending-home.ts'
import type { ProducerRecord, SentBatch, SentRecord } from '../producing/sent.ts'
import { Transaction } from './transaction.ts'
import {
  TransactionEndedError,
  TransactionFailedError,
  TransactionPendingError,
} from './transaction-errors.ts'
import type { Enlisted, TransactionHome } from './transaction-home.ts'

/** How a transactional producer sends, and as whom. */
export interface TransactionalProducerOptions<Key, Value>
  extends Omit<ProducerOptions<Key, Value>, 'acks' | 'idempotent' | 'name'> {
  /**
   * The same over restarts: by it an earlier life's open transaction is found and aborted, and an
   * earlier instance that still runs is fenced.
   */
  readonly transactionalId: string
  /** A transaction that takes longer, in ms, is aborted. @defaultValue 60000 */
  readonly transactionTimeoutMs?: number
}

/** What a transactional producer needs beside what others do. */
export interface TransactionalContext extends ProducingContext {
  readonly transactions: TransactionHome
}

/** A partition in a transaction. */
interface Participant extends Enlisted {
  hasJoined: boolean
}

/** One transaction of a producer, while it goes on. */
class OpenTransaction {
  readonly participants = new Map<TargetPartition, Participant>()
  /** Whether there is anything to be decided. */
  hasWork = false
  failure: unknown = null
  isEnding = false
  /** Its end could not be written: it has to be aborted before the next one begins. */
  isStuck = false
}

const timeoutMsMax = 15 * 60_000

/**
 * Sends records in transactions. Made by `varve.producer({ transactionalId })`. One transaction at
 * a time; make several producers for several at once.
 *
 * @example
 * ```ts
 * const producer = varve.producer({ transactionalId: 'billing-1' })
 * await producer.transaction(async (tx) => {
 *   await tx.send('invoices', { key: 'i-1', value: '17.50' })
 *   await tx.sendOffsets('billing', [{ topic: 'orders', partition: 0, offset: 18 }])
 * }) // committed; aborted if the function throws
 * ```
 */
export class TransactionalProducer<Key = Sendable, Value = Sendable> implements AsyncDisposable {
  readonly #context: TransactionalContext
  readonly #id: string
  readonly #serializer: RecordSerializer<Key, Value>
  readonly #dispatcher: Dispatcher
  readonly #onClosed: () => void
  #open: OpenTransaction | null = null
  /** Something that was sent did not arrive, as far as is known. */
  #mustRenew = false

  /** @internal Producers are made by `varve.producer()`. */
  constructor(
    context: TransactionalContext,
    options: TransactionalProducerOptions<Key, Value>,
    onClosed: () => void,
  ) {
    const { transactionalId, transactionTimeoutMs = 60_000 } = options
    checkOptions(transactionalId, transactionTimeoutMs)
    this.#context = context
    this.#id = transactionalId
    this.#serializer = new RecordSerializer(
      context.clock,
      options.keySerializer,
      options.valueSerializer,
    )
    this.#onClosed = onClosed
    this.#dispatcher = new Dispatcher(context, {
      // The commit makes everything durable, each log with one flush.
      sending: { ...resolveSendingOptions(options), acks: 'written' },
      identities: context.transactions.identitiesOf(transactionalId, transactionTimeoutMs),
      isTransactional: true,
      admit: (sender) => this.#admit(sender),
      failed: (error) => {
        if (this.#open !== null) this.#open.failure ??= error
      },
    })
  }

  /** Gets the identity now: what an earlier producer of this id has left open is aborted here. */
  async start(): Promise<void> {
    await this.#dispatcher.prepare()
  }

  /** Begins a transaction. Rejects with InvalidArgumentError while another one is open. */
  async begin(): Promise<Transaction<Key, Value>> {
    await this.#dispatcher.prepare()
    if (this.#dispatcher.failure !== null) throw this.#dispatcher.failure
    if (this.#open?.isStuck === true) await this.#end(this.#open, 'abort')
    if (this.#open !== null) throw this.#isOpenAlready()
    if (this.#mustRenew) {
      await this.#dispatcher.renew()
      this.#mustRenew = false
      if (this.#open !== null) throw this.#isOpenAlready()
    }
    const open = new OpenTransaction()
    this.#open = open
    return new Transaction<Key, Value>({
      send: (topic, records, partition) => this.#send(open, topic, records, partition),
      sendOffsets: (of, offsets) => this.#sendOffsets(open, of, offsets),
      end: (outcome) => this.#end(open, outcome),
    })
  }

  /**
   * Runs a function in a transaction, commits it when the function has returned, and aborts it when
   * it throws. Resolves with what the function returned; rejects with what it threw, or with what
   * `Transaction.commit` rejects with.
   */
  async transaction<Result>(
    run: (transaction: Transaction<Key, Value>) => Promise<Result>,
  ): Promise<Result> {
    const transaction = await this.begin()
    try {
      const result = await run(transaction)
      await transaction.commit()
      return result
    } catch (error) {
      // What made it fail says more than that it could not even be aborted.
      await transaction[Symbol.asyncDispose]().catch(() => undefined)
      throw error
    }
  }

  /** Aborts what is open; later calls are refused with ClosedError. Idempotent. */
  async close(): Promise<void> {
    const open = this.#open
    if (open !== null) await this.#end(open, 'abort').catch(() => undefined)
    await this.#dispatcher.close()
    this.#onClosed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #send(
    open: OpenTransaction,
    topic: string,
    records: ProducerRecord<Key, Value> | ReadonlyArray<ProducerRecord<Key, Value>>,
    partition: number | undefined,
  ): Promise<SentRecord | readonly SentBatch[]> {
    this.#assertOpen(open)
    try {
      if (Array.isArray(records)) {
        const list = records as ReadonlyArray<ProducerRecord<Key, Value>>
        const serialized = this.#serializer.all(topic, list)
        return await this.#dispatcher.sendAll(topic, serialized, partition)
      }
      const record = this.#serializer.one(topic, records as ProducerRecord<Key, Value>)
      return await this.#dispatcher.send(topic, record, partition)
    } catch (error) {
      open.failure ??= error
      throw error
    }
  }

  async #sendOffsets(
    open: OpenTransaction,
    of: string | OffsetsOwner,
    offsets: readonly CommittedOffset[],
  ): Promise<void> {
    this.#assertOpen(open)
    if (offsets.length === 0) return
    try {
      const group = typeof of === 'string' ? of : of.group
      if (group === null || group === '') {
        throw new InvalidArgumentError('group', group, 'only a group has committed offsets')
      }
      const owner = typeof of === 'string' ? null : of
      await owner?.checkOffsets(offsets)
      await this.#context.transactions.sendOffsets({
        ...{ transactionalId: this.#id, identity: this.#dispatcher.identity },
        ...{ group, member: owner?.member ?? null, offsets },
        began: () => {
          open.hasWork = true
        },
        send: async (topic, records, partition) => {
          this.#assertOpen(open)
          await this.#dispatcher.sendAll(topic, records, partition)
        },
      })
      // Whoever has got the partitions since may have begun before these offsets were to be seen.
      await owner?.checkOffsets(offsets)
    } catch (error) {
      open.failure ??= error
      throw error
    }
  }

  /** A partition joins the transaction before its first record is appended. */
  #admit({ partition }: PartitionSender): Promise<void> | null {
    const open = this.#open
    if (open === null) return Promise.reject(new TransactionEndedError(this.#id))
    const known = open.participants.get(partition)
    if (known !== undefined) return known.hasJoined ? null : known.joined
    const { identity } = this.#dispatcher
    const enlisted = this.#context.transactions.enlist(this.#id, identity, partition)
    const joined = enlisted.joined.then(() => {
      participant.hasJoined = true
    })
    const participant: Participant = { ...enlisted, joined, hasJoined: false }
    open.participants.set(partition, participant)
    open.hasWork = true
    return joined
  }

  async #end(open: OpenTransaction, outcome: 'commit' | 'abort'): Promise<void> {
    this.#assertOpen(open)
    open.isEnding = true
    try {
      await this.#dispatcher.flush()
      if (this.#dispatcher.failure !== null) throw this.#dispatcher.failure
      if (outcome === 'commit') await this.#makeDurable(open)
    } catch (error) {
      open.isEnding = false
      if (outcome === 'abort') this.#open = null
      throw error
    }
    if (open.hasWork) await this.#decide(open, outcome)
    this.#mustRenew = open.failure !== null
    this.#open = null
  }

  async #decide(open: OpenTransaction, outcome: 'commit' | 'abort'): Promise<void> {
    try {
      await this.#context.transactions.end(this.#id, this.#dispatcher.identity, outcome)
    } catch (error) {
      if (error instanceof TransactionPendingError) this.#open = null
      open.failure ??= error
      open.isEnding = false
      open.isStuck = true
      throw error
    }
  }

  async #makeDurable(open: OpenTransaction): Promise<void> {
    const fail = (cause: unknown): never => {
      open.failure ??= cause
      throw new TransactionFailedError(this.#id, open.failure)
    }
    if (open.failure !== null) fail(open.failure)
    const flushing = [...open.participants.values()].map(({ makeDurable }) => makeDurable())
    await Promise.all(flushing).catch(fail)
  }

  #isOpenAlready(): InvalidArgumentError {
    return new InvalidArgumentError('transaction', this.#id, 'one is open: end it first')
  }

  #assertOpen(open: OpenTransaction): void {
    if (this.#dispatcher.failure !== null) throw this.#dispatcher.failure
    if (this.#open !== open || open.isEnding) throw new TransactionEndedError(this.#id)
  }
}

function checkOptions(transactionalId: unknown, timeoutMs: unknown): void {
  if (typeof transactionalId !== 'string' || transactionalId === '') {
    const rule = 'must be a string that is not empty'
    throw new InvalidArgumentError('transactionalId', transactionalId, rule)
  }
  const isInRange = Number.isSafeInteger(timeoutMs) && (timeoutMs as number) > 0
  if (isInRange && (timeoutMs as number) <= timeoutMsMax) return
  const rule = `must be an integer from 1 to ${timeoutMsMax}`
  throw new InvalidArgumentError('transactionTimeoutMs', timeoutMs, rule)
}
