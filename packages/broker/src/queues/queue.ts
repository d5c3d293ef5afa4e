import {
  type AppendOptions,
  type AppendResult,
  type Clock,
  type Log,
  LogClosedError,
  type Timer,
} from '@varve/log'
import { InvalidArgumentError, type RecordInput } from '@varve/record'
import { ClosedError } from '../base/broker-errors.ts'
import type { RawRecord } from '../handling/handled-record.ts'
import { partitionForKey } from '../partitioning/partitioner.ts'
import { Delivery } from './delivery.ts'
import { deliverAtHeader, timeAfter } from './queue-entry.ts'
import { QueuePartition } from './queue-partition.ts'
import type { DeliveryFailure, QueuePartitionContext } from './queue-partition-context.ts'
import type { QueueState } from './queue-state-log.ts'
import { type ProcessOptions, QueueWorker } from './queue-worker.ts'

/** How a queue delivers. */
export interface QueueOptions {
  /** How long a consumer has a record before it is delivered again, in ms. @defaultValue 30000 */
  readonly visibilityTimeoutMs?: number
  /**
   * How often a record is delivered before it counts as rejected. @defaultValue 5, as Kafka's share
   * groups have it, where there is a dead-letter topic; else without limit, so that none is lost
   */
  readonly maxDeliveries?: number
  /**
   * `key`: records of one key are delivered in order, the next only when the one before is
   * finished. Those without a key have no order. @defaultValue 'none'
   */
  readonly order?: 'none' | 'key'
  /** Where a new queue begins in a topic that has records already. @defaultValue 'earliest' */
  readonly startAt?: 'earliest' | 'latest'
  /** So many records may be with consumers at the same time. @defaultValue 2000 */
  readonly maxInFlight?: number
  /**
   * How far, in records of a partition, deliveries may be ahead of the oldest that is not finished.
   * @defaultValue 100000
   */
  readonly windowRecords?: number
  /**
   * Deletes segments of the topic when all their records are finished, looked for every minute:
   * for a topic that nobody else reads. @defaultValue false
   */
  readonly deleteFinished?: boolean
  /** Keys and values kept at hand; others are read when they are delivered. @defaultValue 16 MiB */
  readonly windowBytes?: number
}

/** What a queue stands on. */
export interface QueueContext {
  readonly name: string
  /** The topic that has its records. */
  readonly topic: string
  /** Its partitions, in order. */
  readonly logs: readonly Log[]
  readonly state: QueueState
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  /** Takes what is rejected; durable when it resolves. @defaultValue nobody: it is gone */
  readonly deadLetter?: (record: RawRecord, failure: DeliveryFailure) => Promise<void>
  /** How long after its timestamp a record is delivered, in ms; -1 for ever. @defaultValue -1 */
  readonly recordTtlMs?: () => number
  /** Told of what went wrong where nobody waits for it. @defaultValue nobody */
  readonly onError?: (error: unknown) => void
}

/** How long to wait for a record, and for how long to have it. */
export interface DequeueOptions {
  /** How long to wait for a record, in ms; 0 not at all. @defaultValue without end */
  readonly waitMs?: number
  /** Ends waiting. */
  readonly signal?: AbortSignal
  /** @defaultValue the queue's */
  readonly visibilityTimeoutMs?: number
}

/**
 * Records that competing consumers take one by one, each finished by itself: the semantics of
 * Kafka's share groups (KIP-932) on the records of a topic. At least once: what is not acknowledged
 * is delivered again, what is acknowledged never.
 *
 * @example
 * ```ts
 * await queue.enqueue({ key: 'o-17', value: 'send the bill' }, { delayMs: 60_000 })
 * const delivery = await queue.dequeue()
 * if (delivery !== null) {
 *   await send(delivery.record.value)
 *   await delivery.acknowledge()
 * }
 * ```
 */
export class Queue implements AsyncDisposable {
  readonly name: string
  readonly #context: QueueContext
  readonly #visibilityTimeoutMs: number
  readonly #maxInFlight: number
  readonly #limits: Pick<
    QueuePartitionContext,
    'isOrdered' | 'maxDeliveries' | 'windowRecords' | 'windowBytes'
  >
  #partitions: readonly QueuePartition[]
  #growing: Promise<void> = Promise.resolve()
  /** Consumers that wait for a record. */
  readonly #waiters = new Set<() => void>()
  /** Goes up whenever there may be one. */
  #calls = 0
  /** As many records are with consumers as may be. */
  #isFull = false
  /** The partition that is asked first: each in turn. */
  #first = 0
  /** The partition of the next record without a key. */
  #next = 0
  #state: QueueState
  /** By partition, or of the whole queue. */
  readonly #failures = new Map<number | 'queue', { readonly error: unknown }>()
  /** Some log is closed: it may be opened again soon. */
  #patience: Timer | null = null
  #isClosed = false
  #timer: Timer | null = null

  private constructor(context: QueueContext, options: QueueOptions) {
    this.name = context.name
    this.#context = context
    this.#state = context.state
    const { visibilityTimeoutMs = 30_000, maxInFlight = 2000 } = options
    this.#visibilityTimeoutMs = visibilityTimeoutMs
    this.#maxInFlight = maxInFlight
    const { deadLetter = null } = context
    const { maxDeliveries = deadLetter === null ? Infinity : 5, windowRecords = 100_000 } = options
    const limits = { visibilityTimeoutMs, maxInFlight, maxDeliveries, windowRecords }
    for (const [name, value] of Object.entries(limits)) checkPositive(name, value)
    const { order = 'none', windowBytes = 16 * 2 ** 20 } = options
    this.#limits = { isOrdered: order === 'key', maxDeliveries, windowRecords, windowBytes }
    this.#partitions = context.logs.map((log, partition) => this.#partition(log, partition))
  }

  /** The topic whose records it delivers. */
  get topic(): string {
    return this.#context.topic
  }

  /** Goes on where the state log says, or begins. One queue of a name at a time. */
  static async open(context: QueueContext, options: QueueOptions = {}): Promise<Queue> {
    const queue = new Queue(context, options)
    await queue.#begin(queue.#partitions, options.startAt ?? 'earliest')
    if (options.deleteFinished === true) queue.#deleteFinished()
    return queue
  }

  /** Partitions of its topic that it has taken up. */
  get partitionCount(): number {
    return this.#partitions.length
  }

  /**
   * Takes up partitions that its topic has been given: all records in them are delivered. Keys may
   * come to other partitions from then on, and those records do not wait for earlier ones.
   *
   * @param logs those of all partitions, in order
   */
  grow(logs: readonly Log[]): Promise<void> {
    return this.#oneByOne(async () => {
      const before = this.#partitions.length
      const added = logs.slice(before).map((log, index) => this.#partition(log, before + index))
      await this.#begin(added, 'earliest')
      if (this.#isClosed) await Promise.all(added.map((partition) => partition.close()))
      else this.#partitions = [...this.#partitions, ...added]
      this.#wake()
    })
  }

  /**
   * Goes on, as after a restart, with partitions whose log was opened again, or all of them where
   * that of their state was: what consumers have of them is delivered again, what is finished is
   * not. Until then nothing of them is delivered, and what waits for a record goes on waiting.
   *
   * @param which the partition; null all of them
   * @param logOf throws where a log is not open: that partition fails until it is renewed itself
   * @param load reads what is noted, when nothing more is being noted
   */
  renew(
    which: number | null,
    logOf: (partition: number) => Log,
    load: () => Promise<QueueState>,
  ): Promise<void> {
    return this.#oneByOne(async () => {
      const indexes = [...this.#partitions.keys()].filter((at) => which === null || at === which)
      await Promise.all(indexes.map((at) => this.#partitions[at]?.retire()))
      this.#state = await load().catch((error: unknown) => {
        this.#fail('queue', error)
        throw error
      })
      for (const at of [...indexes, 'queue' as const]) this.#failures.delete(at)
      for (const at of indexes) {
        try {
          const renewed = this.#partition(logOf(at), at)
          await renewed.open('earliest')
          this.#partitions = this.#partitions.with(at, renewed)
        } catch (error) {
          this.#fail(at, error)
        }
      }
      this.#patience?.cancel()
      this.#patience = null
      if (this.#isClosed) await Promise.all(this.#partitions.map((each) => each.close()))
      this.#wake()
    })
  }

  /** Records that are not finished, those with consumers included. */
  get length(): number {
    return this.#partitions.reduce((sum, { length }) => sum + length, 0)
  }

  /** Records that consumers have. */
  get inFlight(): number {
    return this.#partitions.reduce((sum, { acquired }) => sum + acquired, 0)
  }

  /** How long the oldest record that is not finished has been there, in ms; null when empty. */
  get oldestAgeMs(): number | null {
    let oldest = Infinity
    for (const { oldestTimestamp } of this.#partitions) {
      if (oldestTimestamp !== null) oldest = Math.min(oldest, oldestTimestamp)
    }
    return oldest === Infinity ? null : Math.max(0, this.#context.clock.now() - oldest)
  }

  /** In each partition, below what everything is finished: so far retention may go. */
  get startOffsets(): readonly number[] {
    return this.#partitions.map(({ startOffset }) => startOffset)
  }

  /**
   * Appends a record, to be delivered after `delayMs` (default 0). Records of one key lie in one
   * partition, chosen as Kafka's producers choose it. Rejects as `Log.append` does.
   */
  async enqueue(
    record: RecordInput,
    options: AppendOptions & { readonly delayMs?: number } = {},
  ): Promise<AppendResult & { readonly partition: number }> {
    this.#assertOpen()
    const { delayMs = 0, ...appendOptions } = options
    const now = this.#context.clock.now()
    const deliverAt = timeAfter(now, delayMs)
    const headers = [...(record.headers ?? [])]
    if (delayMs > 0) headers.push({ key: deliverAtHeader, value: String(deliverAt) })
    const partition = this.#partitionOf(record)
    const { log } = this.#partitions[partition] as QueuePartition
    const result = await log.append({ timestamp: now, ...record, headers }, appendOptions)
    return { ...result, partition }
  }

  /**
   * Takes the next record; null when none came in `waitMs`, or the signal was given. The delivery
   * is counted before it is handed out, so that one that kills its process counts too.
   */
  async dequeue(options: DequeueOptions = {}): Promise<Delivery | null> {
    const { waitMs = Infinity, signal, visibilityTimeoutMs = this.#visibilityTimeoutMs } = options
    checkPositive('visibilityTimeoutMs', visibilityTimeoutMs)
    if (!(waitMs >= 0)) throw new InvalidArgumentError('waitMs', waitMs, 'must be 0 at least')
    const { clock } = this.#context
    const endMs = clock.monotonic() + waitMs
    for (;;) {
      this.#assertOpen()
      const calls = this.#calls
      const delivery = await this.#take(visibilityTimeoutMs).catch((error: unknown) => {
        if (!this.#mayComeBack(error)) throw error
        return null
      })
      if (delivery !== null) return delivery
      const restMs = endMs - clock.monotonic()
      if (restMs <= 0 || signal?.aborted === true) return null
      // Else a record has come just after it was looked for.
      if (this.#calls === calls) await this.#whenReady(restMs, signal)
    }
  }

  /**
   * Takes records and handles them, until the signal is given or the queue is closed: acknowledged
   * when the handler resolves, delivered again as `retry` says when it rejects, and rejected when
   * that gives up. Rejects with what taking or finishing records fails with.
   *
   * @example
   * ```ts
   * await queue.process({ concurrency: 4, handler: (record) => deliver(record.value) })
   * ```
   */
  async process(options: ProcessOptions): Promise<void> {
    const { clock, random } = this.#context
    const worker = new QueueWorker(options, {
      clock,
      random,
      visibilityTimeoutMs: this.#visibilityTimeoutMs,
      dequeue: (signal) => this.dequeue({ signal }),
    })
    try {
      await worker.run()
    } catch (error) {
      if (!this.#isClosed || !(error instanceof ClosedError)) throw error
    }
  }

  /** Ends waiting consumers, who get ClosedError, and reading. Deliveries that are out expire. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#patience?.cancel()
    this.#wake()
    await this.#growing
    await Promise.all(this.#partitions.map((partition) => partition.close()))
  }

  /** As `close`, with the reason that everybody gets who waits or comes. */
  async end(error: unknown): Promise<void> {
    this.#failures.set('queue', { error })
    await this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #partition(log: Log, partition: number): QueuePartition {
    const context = this.#context
    return new QueuePartition({
      ...{ queue: context.name, topic: context.topic, partition, log, ...this.#limits },
      state: this.#state,
      clock: context.clock,
      recordTtlMs: context.recordTtlMs ?? (() => -1),
      deadLetter: context.deadLetter ?? null,
      ready: () => this.#wake(),
      freed: () => {
        if (this.#isFull) this.#wake()
      },
      troubled: (error) => context.onError?.(error),
      failed: (error) => {
        if (!this.#mayComeBack(error)) this.#fail(partition, error)
      },
    })
  }

  /**
   * A new queue begins where it is told to. One that has noted its first partition is not new: that
   * one is noted last, and whatever came later must not be passed over.
   */
  async #begin(
    partitions: readonly QueuePartition[],
    startAt: 'earliest' | 'latest',
  ): Promise<void> {
    const [first, ...others] = partitions
    if (first === undefined) return
    const from = first.isNew ? startAt : 'earliest'
    await Promise.all(others.map((partition) => partition.open(from)))
    await first.open(from)
  }

  #deleteFinished(): void {
    this.#timer = this.#context.clock.setTimer(deletionIntervalMs, () => {
      for (const partition of this.#partitions) {
        partition.deleteFinished().catch((error: unknown) => this.#context.onError?.(error))
      }
      this.#deleteFinished()
    })
  }

  async #take(visibilityTimeoutMs: number): Promise<Delivery | null> {
    this.#isFull = this.inFlight >= this.#maxInFlight
    if (this.#isFull) return null
    const count = this.#partitions.length
    for (let step = 0; step < count; step++) {
      const index = (this.#first + step) % count
      const partition = this.#partitions[index] as QueuePartition
      const lock = partition.take(visibilityTimeoutMs)
      if (lock === null) continue
      this.#first = (index + 1) % count
      const record = await partition.deliver(lock)
      if (record === null) return this.#take(visibilityTimeoutMs)
      return new Delivery(record, partition, lock, visibilityTimeoutMs)
    }
    return null
  }

  #partitionOf({ key = null }: RecordInput): number {
    const count = this.#partitions.length
    if (key !== null) return partitionForKey(key, count)
    this.#next = (this.#next + 1) % count
    return this.#next
  }

  #whenReady(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer?.cancel()
        signal?.removeEventListener('abort', end)
        this.#waiters.delete(end)
        resolve()
      }
      const { clock } = this.#context
      const timer = waitMs === Infinity ? null : clock.setTimer(waitMs, end, { keepsAlive: true })
      signal?.addEventListener('abort', end)
      this.#waiters.add(end)
    })
  }

  #wake(): void {
    this.#calls += 1
    for (const wake of [...this.#waiters]) wake()
  }

  #fail(of: number | 'queue', error: unknown): void {
    if (!this.#failures.has(of)) this.#failures.set(of, { error })
    this.#wake()
  }

  /** Whether a log is closed that may be opened again soon: if not, the queue fails. */
  #mayComeBack(error: unknown): boolean {
    if (!(error instanceof LogClosedError) || this.#isClosed) return false
    this.#patience ??= this.#context.clock.setTimer(reopeningMs, () => this.#fail('queue', error))
    return true
  }

  #oneByOne(action: () => Promise<void>): Promise<void> {
    const done = this.#growing.then(async () => {
      if (!this.#isClosed) await action()
    })
    // The next ones are tried all the same.
    this.#growing = done.catch(() => undefined)
    return done
  }

  #assertOpen(): void {
    for (const { error } of this.#failures.values()) throw error
    if (this.#isClosed) throw new ClosedError(`queue '${this.name}'`)
  }
}

const deletionIntervalMs = 60_000
/** So long a queue waits for a log that was closed to be opened again. */
const reopeningMs = 10_000

function checkPositive(name: string, value: number): void {
  if (value > 0) return
  throw new InvalidArgumentError(name, value, 'must be a positive number')
}
