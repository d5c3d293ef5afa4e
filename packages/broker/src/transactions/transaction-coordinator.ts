import type { Acks, Clock, Timer } from '@varve/log'
import { ClosedError, ProducerFencedError } from '../base/broker-errors.ts'
import type { Logger } from '../base/logger.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { IdentitySource, ProducerIdentity } from '../producing/producer-identity.ts'
import type { ProducerIds } from '../producing/producer-ids.ts'
import type { Topics } from '../topics/topics.ts'
import {
  NotInTransactionError,
  ProducerIdMappingError,
  TransactionBlockedError,
  TransactionEndedError,
  TransactionPendingError,
} from './transaction-errors.ts'
import {
  checkExpiration,
  defaultTransactionalIdExpirationMs,
  expirationCheckIntervalMs,
  isIdExpired,
} from './transaction-expiration.ts'
import { TransactionLog } from './transaction-log.ts'
import { flushPartitions, markPartition, openTransactionsOf } from './transaction-partitions.ts'
import { type TransactionDescription, TransactionState } from './transaction-state.ts'

export interface CoordinatorContext {
  readonly topics: Topics
  readonly clock: Clock
  readonly ids: ProducerIds
  readonly logger: Logger
  /** After how long an id that nobody uses is forgotten, in ms. @defaultValue 7 days, Kafka's */
  readonly transactionalIdExpirationMs?: number
  /** Whether ids are kept whatever their age. @defaultValue never */
  readonly isExpiryHeld?: () => boolean
}

/** How a producer that may be known begins. */
export interface OpeningOptions {
  /** What it goes on from, where it says so: refused unless that is the newest (KIP-360). */
  readonly expected?: ProducerIdentity | null
}

export interface EndingOptions {
  /** Whether what was sent is made durable first; else whoever sent it has done so. */
  readonly isFlushing?: boolean
}

const retryMs = 1000
/** Kafka's transaction.abort.timed.out.transaction.cleanup.interval.ms. */
const timedOutRetryMs = 10_000
const expiredAtOnce = 1000

/**
 * Decides over transactions, and remembers in `__transaction_state` what it decided (Kafka's
 * TransactionCoordinator, in one process).
 *
 * **Two phases.** A transaction's records lie in its partitions, unseen by readers of committed
 * records. Ending it writes the decision with all partitions, durably: from here on it is decided,
 * whatever happens. Then a control batch goes to every partition, and when all of them are durable
 * the transaction is noted as complete. After a crash a decision that is not complete is carried
 * out when the data directory is opened. A transaction without a decision is aborted when its
 * producer comes back, or when its time-out passes.
 *
 * That it is complete is made durable while the producer goes on; its next transaction waits for
 * that.
 *
 * Which partitions take part is noted before the first record goes there, but not flushed: what the
 * power takes of that is found again in the logs, which know their open transactions.
 *
 * **Fencing.** Each time an id is opened its producer epoch rises; only the newest epoch can do
 * anything. Producers with a name, without transactions, are fenced in the same way.
 */
export class TransactionCoordinator {
  readonly #context: CoordinatorContext
  readonly #states = new Map<string, TransactionState>()
  readonly #log: TransactionLog
  #expiry: Timer | null = null
  #isClosed = false

  private constructor(context: CoordinatorContext) {
    this.#context = context
    this.#log = new TransactionLog(context.topics, context.clock, context.logger)
  }

  /** Reads what is known, and carries out what had been decided. */
  static async load(context: CoordinatorContext): Promise<TransactionCoordinator> {
    checkExpiration(context.transactionalIdExpirationMs ?? defaultTransactionalIdExpirationMs)
    const coordinator = new TransactionCoordinator(context)
    for await (const { id, record } of coordinator.#log.records()) {
      if (record === null) coordinator.#states.delete(id)
      else coordinator.#state(id).load(record)
    }
    coordinator.#findOpenTransactions()
    for (const state of coordinator.#states.values()) coordinator.#resume(state)
    await Promise.all([...coordinator.#states.values()].map((state) => state.settled()))
    coordinator.#scheduleExpiry()
    return coordinator
  }

  /** Identities for the producers of one name or transactional id. */
  identitiesOf(id: string, timeoutMs: number): IdentitySource {
    return {
      take: (fenced) => this.open(id, timeoutMs, fenced),
      giveBack: (identity) => this.#leave(id, identity),
    }
  }

  /**
   * Begins a producer's life: aborts what an earlier one has left open, and raises the epoch
   * (Kafka's InitProducerId). Rejects with TransactionBlockedError, ProducerFencedError.
   *
   * @param fenced for a producer of this process; null for one that learns it from its next call
   */
  async open(
    id: string,
    timeoutMs: number,
    fenced: ((error: unknown) => void) | null,
    { expected = null }: OpeningOptions = {},
  ): Promise<ProducerIdentity> {
    const state = this.#state(id)
    return state.exclusively(async () => {
      this.#assertOpen()
      if (expected !== null) {
        // It had the answer on its way to it when it asked again.
        if (state.isSucceeding(expected)) return state.identity
        if (!state.isUnused && !state.isOf(expected)) {
          throw new ProducerFencedError(id, 'a newer one has begun, or it took too long')
        }
      }
      state.session?.fenced(new ProducerFencedError(id, 'a newer one has begun'))
      state.session = null
      await this.#finishLast(state, true)
      await state.raiseEpoch(expected, () => this.#context.ids.next())
      state.timeoutMs = timeoutMs
      state.status = 'empty'
      await this.#write(state, 'flushed')
      const { identity } = state
      if (fenced !== null) state.session = { identity, fenced }
      return identity
    })
  }

  /**
   * Partitions join the producer's transaction, which begins with the first of them. Rejects with
   * ProducerIdMappingError, ProducerFencedError, TransactionBlockedError.
   */
  async addPartitions(
    id: string,
    identity: ProducerIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const state = this.#known(id)
    return state.exclusively(async () => {
      this.#check(state, identity)
      if (state.status === 'ongoing' && partitions.every((it) => state.has(it))) return
      await this.#finishLast(state, false)
      if (state.status !== 'ongoing') {
        await this.#completed(state)
        state.status = 'ongoing'
        state.partitions.clear()
        state.startMs = this.#context.clock.now()
        this.#startTimer(state, state.timeoutMs)
      }
      for (const partition of partitions) state.add(partition)
      await this.#write(state, 'written')
    })
  }

  /**
   * Ends the producer's transaction. Everything that was sent in it must have arrived, and must be
   * durable for a commit. Resolves when every partition has been told, durably. Rejects with
   * TransactionPendingError when it is decided, but a partition cannot be told now; with
   * ProducerIdMappingError, ProducerFencedError, TransactionEndedError, or as appending does, it is
   * not decided.
   */
  async end(
    id: string,
    identity: ProducerIdentity,
    outcome: 'commit' | 'abort',
    { isFlushing = false }: EndingOptions = {},
  ): Promise<void> {
    const state = this.#known(id)
    return state.exclusively(async () => {
      this.#check(state, identity)
      if (state.isPrepared) await this.#carryOut(state)
      if (state.status !== 'ongoing') {
        const wanted = outcome === 'commit' ? 'completeCommit' : 'completeAbort'
        if (state.status === wanted) return
        throw new TransactionEndedError(id)
      }
      state.isEnding = true
      try {
        const { topics } = this.#context
        if (isFlushing && outcome === 'commit') {
          await flushPartitions(topics, state.partitions.values())
        }
        await this.#end(state, outcome, false)
      } finally {
        state.isEnding = false
      }
    })
  }

  /**
   * Throws what keeps a transactional batch of a producer from being appended to a partition:
   * ProducerIdMappingError, ProducerFencedError, NotInTransactionError. For those who append in the
   * same turn: then no end of the transaction comes in between.
   */
  checkAppend(id: string, identity: ProducerIdentity, place: TopicPartition): void {
    const state = this.#known(id)
    this.#check(state, identity)
    if (state.status === 'ongoing' && !state.isEnding && state.has(place)) return
    throw new NotInTransactionError(id, place, state.isEnding || state.isPrepared)
  }

  /** The transactional ids and names that are known, as they are now. */
  *descriptions(): Generator<TransactionDescription, void, undefined> {
    for (const state of this.#states.values()) if (!state.isUnused) yield state.describe()
  }

  /** An id as it is now; null for one that is not known. */
  describe(id: string): TransactionDescription | null {
    const state = this.#states.get(id)
    return state === undefined || state.isUnused ? null : state.describe()
  }

  /**
   * Forgets ids that nobody has used for long, with tombstones. Done every hour. Used again, such
   * an id begins anew, with another producer id. Resolves with how many there were.
   */
  async expire(): Promise<number> {
    const { clock, transactionalIdExpirationMs, isExpiryHeld } = this.#context
    if (isExpiryHeld?.() === true) return 0
    const afterMs = transactionalIdExpirationMs ?? defaultTransactionalIdExpirationMs
    const isExpired = (state: TransactionState) => isIdExpired(state, clock.now(), afterMs)
    const expired = [...this.#states.values()].filter(isExpired)
    const forget = async (state: TransactionState): Promise<void> => {
      await state.exclusively(async () => {
        if (this.#isClosed || !isExpired(state)) return
        await this.#completed(state)
        await this.#log.forget(state.id)
        state.reset()
      })
      // Whoever asks for it in the meantime has the same one.
      if (state.producerId < 0 && state.isIdle) this.#states.delete(state.id)
    }
    for (let first = 0; first < expired.length; first += expiredAtOnce) {
      await Promise.all(expired.slice(first, first + expiredAtOnce).map(forget))
    }
    return expired.length
  }

  /** Stops time-outs and retries. What is decided and not carried out is at the next opening. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#expiry?.cancel()
    for (const state of this.#states.values()) state.timer?.cancel()
    await Promise.allSettled(
      [...this.#states.values()].flatMap((state) => [state.settled(), state.completing]),
    )
  }

  #leave(id: string, identity: ProducerIdentity): void {
    const state = this.#states.get(id)
    if (state?.session?.identity === identity) state.session = null
  }

  #state(id: string): TransactionState {
    const known = this.#states.get(id)
    if (known !== undefined) return known
    const state = new TransactionState(id)
    this.#states.set(id, state)
    return state
  }

  #known(id: string): TransactionState {
    const state = this.#states.get(id)
    if (state === undefined) throw new ProducerIdMappingError(id)
    return state
  }

  #check(state: TransactionState, identity: ProducerIdentity): void {
    this.#assertOpen()
    if (state.isOf(identity)) return
    if (state.producerId !== identity.producerId) throw new ProducerIdMappingError(state.id)
    throw new ProducerFencedError(state.id, 'a newer one has begun, or it took too long')
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new ClosedError('the data directory')
  }

  /** @param isFencing whether the producer is gone, so that its epoch must not be used again */
  async #end(
    state: TransactionState,
    outcome: 'commit' | 'abort',
    isFencing: boolean,
  ): Promise<void> {
    state.timer?.cancel()
    state.timer = null
    const { status, producerEpoch } = state
    state.status = outcome === 'commit' ? 'prepareCommit' : 'prepareAbort'
    if (isFencing) state.producerEpoch++
    try {
      await this.#write(state, 'flushed')
    } catch (error) {
      // Not known to be decided; opening the directory again will tell.
      state.status = status
      state.producerEpoch = producerEpoch
      this.#startTimer(state, timedOutRetryMs)
      throw error
    }
    await this.#carryOut(state)
  }

  /**
   * Before another transaction: what is decided is carried out, and what is open aborted where its
   * producer is gone.
   */
  async #finishLast(state: TransactionState, isGone: boolean): Promise<void> {
    try {
      if (state.isPrepared) await this.#carryOut(state)
      if (isGone && state.status === 'ongoing') await this.#end(state, 'abort', true)
    } catch (error) {
      // Its outcome is not that of the transaction which is about to begin.
      throw error instanceof TransactionPendingError
        ? new TransactionBlockedError(state.id, error)
        : error
    }
  }

  /** Tells every partition what was decided. */
  async #carryOut(state: TransactionState): Promise<void> {
    const outcome = state.status === 'prepareCommit' ? 'commit' : 'abort'
    const { producerId, producerEpoch, lastUpdateMs: timestamp } = state
    const decision = { type: outcome, producerId, producerEpoch, timestamp } as const
    const tell = (place: TopicPartition) => markPartition(this.#context.topics, place, decision)
    const results = await Promise.allSettled([...state.partitions.values()].map(tell))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      this.#retryLater(state)
      throw new TransactionPendingError(state.id, outcome, failed.reason)
    }
    state.status = outcome === 'commit' ? 'completeCommit' : 'completeAbort'
    state.partitions.clear()
    state.startMs = -1
    state.completing = this.#write(state, 'flushed')
    state.completing.catch(() => undefined)
  }

  /**
   * Makes sure that the end of the last transaction is noted, durably, before the next one begins:
   * else a crash would make its decision be carried out again, on what the next one has written.
   */
  async #completed(state: TransactionState): Promise<void> {
    const { completing } = state
    if (completing === null) return
    const isNoted = await completing.then(
      () => true,
      () => false,
    )
    if (!isNoted) await this.#write(state, 'flushed')
    state.completing = null
  }

  #scheduleExpiry(): void {
    this.#expiry = this.#context.clock.setTimer(expirationCheckIntervalMs, () => {
      this.expire().catch((error: unknown) => {
        this.#context.logger.warn({ err: error }, 'expired transactional ids were not forgotten')
      })
      this.#scheduleExpiry()
    })
  }

  #retryLater(state: TransactionState): void {
    if (this.#isClosed) return
    state.timer?.cancel()
    state.timer = this.#context.clock.setTimer(retryMs, () => {
      void state
        .exclusively(async () => {
          if (state.isPrepared && !this.#isClosed) await this.#carryOut(state)
        })
        .catch(() => undefined)
    })
  }

  #startTimer(state: TransactionState, delayMs: number): void {
    if (this.#isClosed) return
    state.timer?.cancel()
    state.timer = this.#context.clock.setTimer(Math.max(delayMs, 0), () => {
      void state
        .exclusively(() => this.#timeOut(state))
        .catch((error: unknown) => {
          this.#context.logger.warn({ err: error, transactionalId: state.id }, 'aborting failed')
        })
    })
  }

  async #timeOut(state: TransactionState): Promise<void> {
    if (state.status !== 'ongoing' || this.#isClosed) return
    const { id, timeoutMs } = state
    this.#context.logger.warn({ transactionalId: id, timeoutMs }, 'transaction timed out')
    state.session?.fenced(new ProducerFencedError(id, `its transaction took ${timeoutMs} ms`))
    state.session = null
    await this.#end(state, 'abort', true)
  }

  async #write(state: TransactionState, acks: Acks): Promise<void> {
    // It rises with every change, whatever the clock does.
    state.lastUpdateMs = Math.max(this.#context.clock.now(), state.lastUpdateMs + 1)
    await this.#log.write(state.id, state.record(), acks)
  }

  /** The logs know of open transactions what the power took from `__transaction_state`. */
  #findOpenTransactions(): void {
    const { topics, logger, clock } = this.#context
    const byProducer = new Map<number, TransactionState>()
    for (const state of this.#states.values()) byProducer.set(state.producerId, state)
    const isKnown = (producerId: number): boolean => byProducer.has(producerId)
    for (const { topic, partition, producerId } of openTransactionsOf(topics, isKnown, logger)) {
      const state = byProducer.get(producerId)
      if (state === undefined) continue
      if (state.status !== 'ongoing' && !state.isPrepared) {
        state.status = 'ongoing'
        state.startMs = clock.now()
      }
      state.add({ topic, partition })
    }
  }

  /** Carries out what was decided; what was not waits for its producer or its time-out. */
  #resume(state: TransactionState): void {
    if (state.status === 'prepareEpochFence') state.status = 'prepareAbort'
    if (state.isPrepared) {
      void state
        .exclusively(() => this.#carryOut(state))
        .catch((error: unknown) => {
          this.#context.logger.warn(
            { err: error, transactionalId: state.id },
            'not carried out yet',
          )
        })
    } else if (state.status === 'ongoing') {
      const age = this.#context.clock.now() - state.startMs
      this.#startTimer(state, state.timeoutMs - Math.max(age, 0))
    }
  }
}
