import {
  type Acks,
  type Clock,
  InvalidProducerEpochError,
  LogClosedError,
  type Timer,
  TransactionCoordinatorFencedError,
} from '@varve/log'
import { endTransactionMarkerBatch } from '@varve/record'
import { ClosedError, ProducerFencedError } from '../base/broker-errors.ts'
import type { Logger } from '../base/logger.ts'
import { transactionsTopic } from '../base/topic-names.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import { partitionForGroup } from '../groups/group-partition.ts'
import type { IdentitySource, ProducerIdentity } from '../producing/producer-identity.ts'
import type { ProducerIds } from '../producing/producer-ids.ts'
import type { Partition, Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import {
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
import { transactionRecords } from './transaction-reading.ts'
import { encodeTransactionKey, encodeTransactionValue } from './transaction-records.ts'
import { TransactionState } from './transaction-state.ts'

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

/** From this epoch on a producer gets another id; one more is left to fence it. */
const epochMax = 2 ** 15 - 2
/** One disk has one flush at a time: with one partition, all transactions' decisions share it. */
const statePartitions = 1
const retryMs = 1000
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
  #topic: Topic | null = null
  #expiry: Timer | null = null
  #isClosed = false

  private constructor(context: CoordinatorContext) {
    this.#context = context
  }

  /** Reads what is known, and carries out what had been decided. */
  static async load(context: CoordinatorContext): Promise<TransactionCoordinator> {
    checkExpiration(context.transactionalIdExpirationMs ?? defaultTransactionalIdExpirationMs)
    const coordinator = new TransactionCoordinator(context)
    coordinator.#topic = context.topics.find(transactionsTopic)
    const usable = coordinator.#topic?.partitions.filter(({ isUsable }) => isUsable) ?? []
    for (const { log } of usable) {
      for await (const { id, record } of transactionRecords(log, context.logger)) {
        if (record === null) coordinator.#states.delete(id)
        else coordinator.#state(id).load(record)
      }
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
   * (Kafka's InitProducerId).
   */
  async open(
    id: string,
    timeoutMs: number,
    fenced: (error: unknown) => void,
  ): Promise<ProducerIdentity> {
    const state = this.#state(id)
    return state.exclusively(async () => {
      this.#assertOpen()
      state.session?.fenced(new ProducerFencedError(id, 'a newer one has begun'))
      state.session = null
      await this.#finishLast(state, true)
      await this.#raiseEpoch(state)
      state.timeoutMs = timeoutMs
      state.status = 'empty'
      await this.#write(state, 'flushed')
      const { producerId, producerEpoch } = state
      const identity = { producerId, producerEpoch }
      state.session = { identity, fenced }
      return identity
    })
  }

  /** Partitions join the producer's transaction, which begins with the first of them. */
  async addPartitions(
    id: string,
    identity: ProducerIdentity,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const state = this.#state(id)
    return state.exclusively(async () => {
      this.#check(state, identity)
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
   * TransactionPendingError when it is decided, but a partition cannot be told now.
   */
  async end(id: string, identity: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<void> {
    const state = this.#state(id)
    return state.exclusively(async () => {
      this.#check(state, identity)
      if (state.isPrepared) await this.#carryOut(state)
      if (state.status !== 'ongoing') {
        const wanted = outcome === 'commit' ? 'completeCommit' : 'completeAbort'
        if (state.status === wanted) return
        throw new TransactionEndedError(id)
      }
      await this.#end(state, outcome, false)
    })
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
        await this.#append(state.id, null, 'written')
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

  #check(state: TransactionState, { producerId, producerEpoch }: ProducerIdentity): void {
    this.#assertOpen()
    if (state.producerId === producerId && state.producerEpoch === producerEpoch) return
    throw new ProducerFencedError(state.id, 'a newer one has begun, or it took too long')
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new ClosedError('the data directory')
  }

  async #raiseEpoch(state: TransactionState): Promise<void> {
    if (state.producerId >= 0 && state.producerEpoch < epochMax) {
      state.producerEpoch++
      return
    }
    const producerId = await this.#context.ids.next()
    state.previousProducerId = state.producerId
    state.producerId = producerId
    state.producerEpoch = 0
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
    const tell = (partition: TopicPartition) => this.#tell(state, partition, outcome)
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

  async #tell(
    { producerId, producerEpoch, lastUpdateMs: timestamp }: TransactionState,
    { topic: name, partition }: TopicPartition,
    type: 'commit' | 'abort',
  ): Promise<void> {
    const topic = this.#context.topics.find(name)
    if (topic === null || partition >= topic.partitions.length) return
    const { log } = topic.partition(partition)
    const known = log.producers().find((producer) => producer.producerId === producerId)
    const coordinatorEpoch = Math.max(known?.coordinatorEpoch ?? 0, 0)
    // That of the decision: so a marker says which one it carries out.
    const marker = { type, producerId, producerEpoch, coordinatorEpoch, timestamp }
    try {
      const batch = endTransactionMarkerBatch(marker)
      await log.appendBatch(batch, { origin: 'coordinator', acks: 'flushed' })
    } catch (error) {
      // A newer marker is there: the partition was told in an earlier life, and much since.
      const isTold =
        error instanceof InvalidProducerEpochError ||
        error instanceof TransactionCoordinatorFencedError
      // The topic was deleted meanwhile.
      if (isTold || (error instanceof LogClosedError && topic.isDeleted)) return
      throw error
    }
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
    await this.#append(state.id, encodeTransactionValue(state.record()), acks)
  }

  async #append(id: string, value: Buffer | null, acks: Acks): Promise<void> {
    this.#topic ??= await this.#context.topics.internal(transactionsTopic, statePartitions)
    const { partitions } = this.#topic
    const { log } = this.#topic.partition(partitionForGroup(id, partitions.length))
    const timestamp = this.#context.clock.now()
    await log.append({ key: encodeTransactionKey(id), value, timestamp }, { acks })
  }

  /** The logs know of open transactions what the power took from `__transaction_state`. */
  #findOpenTransactions(): void {
    const byProducer = new Map<number, TransactionState>()
    for (const state of this.#states.values()) byProducer.set(state.producerId, state)
    for (const { partitions } of this.#context.topics.all) {
      for (const partition of partitions) {
        if (partition.isUsable) this.#findOpenIn(partition, byProducer)
      }
    }
  }

  #findOpenIn(
    { topic, partition, log }: Partition,
    byProducer: ReadonlyMap<number, TransactionState>,
  ): void {
    for (const { producerId, currentTransactionFirstOffset: firstOffset } of log.producers()) {
      if (firstOffset === null) continue
      const state = byProducer.get(producerId)
      if (state === undefined) {
        const fields = { log: log.name, producerId, firstOffset }
        this.#context.logger.warn(fields, 'an open transaction that nobody knows')
        continue
      }
      if (state.status !== 'ongoing' && !state.isPrepared) {
        state.status = 'ongoing'
        state.startMs = this.#context.clock.now()
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
