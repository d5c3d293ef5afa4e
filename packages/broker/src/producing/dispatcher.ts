import type { Clock, Timer } from '@varve/log'
import { InvalidArgumentError, type RecordInput, type Timestamp } from '@varve/record'
import { ClosedError } from '../base/broker-errors.ts'
import { StickyChoice } from '../partitioning/sticky-choice.ts'
import { PartitionSender, type SenderHost } from './partition-sender.ts'
import { type IdentitySource, noIdentity, type ProducerIdentity } from './producer-identity.ts'
import type { ResolvedSendingOptions } from './producer-options.ts'
import type { ProducingContext, TargetTopic } from './sending-home.ts'
import type { SentBatch, SentRecord } from './sent.ts'

export interface DispatcherOptions {
  readonly sending: ResolvedSendingOptions
  /** Null for batches that are not numbered. */
  readonly identities: IdentitySource | null
  readonly isTransactional: boolean
  /** What has to be done before a batch of this partition may be appended; null, mostly. */
  readonly admit: (sender: PartitionSender) => Promise<void> | null
  /** Called when a batch was not appended. */
  readonly failed: (error: unknown) => void
}

/** A topic as a producer knows it. */
interface KnownTopic {
  readonly topic: TargetTopic
  readonly senders: Array<PartitionSender | undefined>
  readonly sticky: StickyChoice
}

/** Why a topic cannot be sent to. */
interface Failure {
  readonly error: unknown
}

/** So many records in a row share one look at the clock, unless a turn ends between them. */
const recordsPerClockReading = 64

/**
 * Brings a producer's records to the senders of their partitions: chooses partitions, gets the
 * producer's identity before the first batch, makes senders take turns, and lets those who send
 * wait while too much is on its way.
 */
export class Dispatcher implements SenderHost {
  readonly options: ResolvedSendingOptions
  readonly clock: Clock
  readonly isTransactional: boolean
  readonly #context: ProducingContext
  readonly #settings: DispatcherOptions
  readonly #topics = new Map<string, KnownTopic>()
  /** Topics that are being looked up, and the sends that wait for that, in order. */
  readonly #lookups = new Map<string, Array<(failure: Failure | null) => void>>()
  #identity: ProducerIdentity = noIdentity
  #isReady: boolean
  #preparing: Promise<void> | null = null
  #failure: unknown = null
  /** Sends that wait, in order: for the identity, or for room. */
  readonly #outside: Array<() => void> = []
  #inFlightBytes = 0
  #inFlightBatches = 0
  readonly #whenIdle = new Set<() => void>()
  #scheduled: PartitionSender[] = []
  #isTicking = false
  #lingering: Timer | null = null
  #turnMs: Timestamp = 0
  #turnReadings = 0
  readonly #endTurn = (): void => {
    this.#turnReadings = 0
  }
  readonly #tick = (): void => {
    this.#isTicking = false
    this.#drainScheduled()
  }

  constructor(context: ProducingContext, settings: DispatcherOptions) {
    this.#context = context
    this.#settings = settings
    this.options = settings.sending
    this.clock = context.clock
    this.isTransactional = settings.isTransactional
    this.#isReady = settings.identities === null
  }

  get identity(): ProducerIdentity {
    return this.#identity
  }

  /** Gets the identity, if it has not been done; rejects when there is none to be had. */
  prepare(): Promise<void> {
    this.#preparing ??= this.#prepare()
    return this.#preparing
  }

  /** Nothing can be sent any more, with this error. */
  fail(error: unknown): void {
    if (this.#failure !== null) return
    this.#failure = error
    for (const { senders } of this.#topics.values()) {
      for (const sender of senders) sender?.abandon(error)
    }
    for (const enter of this.#outside.splice(0)) enter()
  }

  /** Why nothing can be sent any more; null while it can. */
  get failure(): unknown {
    return this.#failure
  }

  send(topic: string, record: RecordInput, partition: number | undefined): Promise<SentRecord> {
    if (this.#mustWait) return this.#later(() => this.#sendNow(topic, record, partition))
    return inPromise(() => this.#sendNow(topic, record, partition))
  }

  /** One batch for each partition that the records go to. */
  sendAll(
    topic: string,
    records: readonly RecordInput[],
    partition: number | undefined,
  ): Promise<readonly SentBatch[]> {
    return this.#mustWait
      ? this.#later(() => this.#sendAllNow(topic, records, partition))
      : this.#sendAllNow(topic, records, partition)
  }

  /** Rejects with TopicNotFoundError. */
  async find(topic: string): Promise<TargetTopic> {
    const known = this.#find(topic)
    if (known !== null) return known.topic
    return this.#whenFound(topic, () => this.find(topic))
  }

  /** The partition of a record by its key, or null where any will do. */
  partitionOf({ name, partitions }: TargetTopic, key: RecordInput['key']): number | null {
    const partition = this.options.partitioner(name, key ?? null, partitions.length)
    if (partition === null || (Number.isInteger(partition) && partition >= 0)) return partition
    const rule = 'a partitioner returns the number of a partition, or null'
    throw new InvalidArgumentError('partition', partition, rule)
  }

  /**
   * After a failure, where the home of the topics needs it: goes on with a new identity, numbering
   * from the beginning. Nothing may be on its way.
   */
  async renew(): Promise<void> {
    const { identities } = this.#settings
    if (identities?.renew === undefined || this.#identity === noIdentity) return
    this.#identity = await identities.renew(this.#identity)
    this.#topics.clear()
  }

  /** Resolves when everything sent so far has arrived, or has been refused. */
  async flush(): Promise<void> {
    while (this.#outside.length > 0 || this.#isBusy) {
      this.#drainAll()
      await new Promise<void>((resolve) => {
        this.#whenIdle.add(resolve)
        this.#wakeWhenIdle()
      })
    }
  }

  async close(): Promise<void> {
    await this.flush()
    this.fail(new ClosedError('the producer'))
    if (this.#identity !== noIdentity) this.#settings.identities?.giveBack(this.#identity)
  }

  // For its senders.

  now(): Timestamp {
    if (this.#turnReadings === 0) {
      process.nextTick(this.#endTurn)
      this.#turnMs = this.clock.now()
      this.#turnReadings = recordsPerClockReading
    }
    this.#turnReadings--
    return this.#turnMs
  }

  schedule(sender: PartitionSender): void {
    this.#scheduled.push(sender)
    const { lingerMs } = this.options
    if (lingerMs > 0) {
      this.#lingering ??= this.clock.setTimer(
        lingerMs,
        () => {
          this.#lingering = null
          this.#drainScheduled()
        },
        { keepsAlive: true },
      )
    } else if (!this.#isTicking) {
      this.#isTicking = true
      process.nextTick(this.#tick)
    }
  }

  admit(sender: PartitionSender): Promise<void> | null {
    return this.#settings.admit(sender)
  }

  sent({ partition }: PartitionSender, sizeBytes: number): void {
    this.#inFlightBytes += sizeBytes
    this.#inFlightBatches++
    const known = this.#topics.get(partition.topic)
    if (known === undefined) return
    const { partitions } = known.topic
    known.sticky.sent(partition.partition, partitions.length, (index) => isUsable(known, index))
  }

  settled(sizeBytes: number, error: unknown): void {
    this.#inFlightBytes -= sizeBytes
    this.#inFlightBatches--
    if (error !== null) this.#settings.failed(error)
    if (this.#outside.length > 0) this.#letIn()
    this.#wakeWhenIdle()
  }

  get #mustWait(): boolean {
    if (this.#failure !== null) return false
    return (
      !this.#isReady || this.#outside.length > 0 || this.#inFlightBytes >= this.options.bufferBytes
    )
  }

  async #prepare(): Promise<void> {
    const { identities } = this.#settings
    try {
      if (identities !== null) {
        this.#identity = await identities.take((error) => this.fail(error))
      }
      this.#isReady = true
    } catch (error) {
      const refused = Promise.reject(error)
      refused.catch(() => undefined)
      // Those who wait are told; the next send tries again.
      this.#preparing = refused
      for (const enter of this.#outside.splice(0)) enter()
      this.#preparing = null
      throw error
    }
    this.#letIn()
  }

  #later<Sent>(send: () => Promise<Sent>): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const attempt = async (): Promise<Sent> => {
        if (!this.#isReady && this.#failure === null) await this.prepare()
        return send()
      }
      this.#outside.push(() => void attempt().then(resolve, reject))
      if (!this.#isReady) void this.prepare().catch(() => undefined)
    })
  }

  #letIn(): void {
    const outside = this.#outside
    let count = 0
    while (count < outside.length && this.#inFlightBytes < this.options.bufferBytes) {
      outside[count]?.()
      count++
    }
    outside.splice(0, count)
    this.#wakeWhenIdle()
  }

  #sendNow(topic: string, record: RecordInput, partition: number | undefined): Promise<SentRecord> {
    if (this.#failure !== null) throw this.#failure
    const known = this.#find(topic)
    if (known === null) {
      return this.#whenFound(topic, () => this.#sendNow(topic, record, partition))
    }
    return this.#sender(known, partition ?? this.#choose(known, record.key)).send(record)
  }

  async #sendAllNow(
    topic: string,
    records: readonly RecordInput[],
    partition: number | undefined,
  ): Promise<readonly SentBatch[]> {
    if (this.#failure !== null) throw this.#failure
    if (records.length === 0) {
      throw new InvalidArgumentError('records', 'empty', 'there is nothing to send')
    }
    const known = this.#find(topic)
    if (known === null) {
      return this.#whenFound(topic, () => this.#sendAllNow(topic, records, partition))
    }
    if (partition !== undefined) return [await this.#sender(known, partition).sendAll(records)]
    const byPartition = new Map<number, RecordInput[]>()
    for (const record of records) {
      const chosen = this.#choose(known, record?.key)
      const together = byPartition.get(chosen)
      if (together === undefined) byPartition.set(chosen, [record])
      else together.push(record)
    }
    const batches = [...byPartition].map(([chosen, together]) => {
      return this.#sender(known, chosen).sendAll(together)
    })
    return Promise.all(batches)
  }

  #choose(known: KnownTopic, key: RecordInput['key']): number {
    const chosen = this.partitionOf(known.topic, key)
    if (chosen !== null) return chosen
    const { length } = known.topic.partitions
    return known.sticky.choose(length, (partition) => isUsable(known, partition))
  }

  /** The topic, if that is known now; null when it is being looked up. */
  #find(name: string): KnownTopic | null {
    const known = this.#topics.get(name)
    if (known !== undefined && !known.topic.isDeleted) return known
    if (this.#lookups.has(name)) return null
    const found = this.#context.topic(name)
    if (!(found instanceof Promise)) return this.#know(found)
    const waiting: Array<(failure: Failure | null) => void> = []
    const end = (failure: Failure | null): void => {
      this.#lookups.delete(name)
      for (const tell of waiting) tell(failure)
      this.#wakeWhenIdle()
    }
    this.#lookups.set(name, waiting)
    found.then(
      (topic) => {
        this.#know(topic)
        end(null)
      },
      (error: unknown) => end({ error }),
    )
    return null
  }

  #know(topic: TargetTopic): KnownTopic {
    const added = { topic, senders: [], sticky: new StickyChoice(this.#context.random) }
    this.#topics.set(topic.name, added)
    return added
  }

  /** Those who wait for a topic go on in the order in which they came. */
  #whenFound<Result>(name: string, go: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#lookups.get(name)?.push((failure) => {
        if (failure === null) resolve(inPromise(go))
        else reject(failure.error)
      })
    })
  }

  #sender({ topic, senders }: KnownTopic, partition: number): PartitionSender {
    const known = senders[partition]
    if (known !== undefined) return known
    const target = topic.partition(partition)
    const delivery = this.#context.delivery(target, this.#identity, {
      clock: this.clock,
      acks: this.options.acks,
      deliveryTimeoutMs: this.options.deliveryTimeoutMs,
    })
    const sender = new PartitionSender(target, delivery, this)
    senders[partition] = sender
    return sender
  }

  #drainScheduled(): void {
    const scheduled = this.#scheduled
    this.#scheduled = []
    for (const sender of scheduled) if (!sender.isHeld) sender.drain()
  }

  #drainAll(): void {
    for (const { senders } of this.#topics.values()) for (const sender of senders) sender?.drain()
  }

  get #isBusy(): boolean {
    if (this.#inFlightBatches > 0 || this.#lookups.size > 0) return true
    for (const { senders } of this.#topics.values()) {
      if (senders.some((sender) => sender?.isOpen === true)) return true
    }
    return false
  }

  #wakeWhenIdle(): void {
    if (this.#whenIdle.size === 0) return
    if (this.#inFlightBatches > 0 || this.#outside.length > 0 || this.#lookups.size > 0) return
    const waiting = [...this.#whenIdle]
    this.#whenIdle.clear()
    for (const wake of waiting) wake()
  }
}

/** What throws before it has a promise rejects instead. */
function inPromise<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return run()
  } catch (error) {
    return Promise.reject(error)
  }
}

function isUsable({ topic }: KnownTopic, partition: number): boolean {
  return topic.partitions[partition]?.isUsable ?? false
}
