import {
  type AppendResult,
  type Log,
  LogClosedError,
  LogOfflineError,
  type Timer,
} from '@varve/log'
import { decrementSequence, incrementSequence, type Offset, type RecordBatch } from '@varve/record'
import type { Partition } from '../topics/topic.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { BatchDelivery, DeliveryOptions } from './sending-home.ts'

/** A batch that the log did not take, or of which that is not known. */
interface Undelivered {
  readonly batch: RecordBatch
  /** In which order batches were handed over. */
  readonly order: number
  /** Where the log ended then: the batch is not before. */
  readonly logEndOffset: Offset
  readonly deadlineMs: number
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

const firstRetryMs = 20
const retryMsMax = 1000

/**
 * Hands a producer's batches to the log of one partition, numbered one after the other, and hands
 * them over again when the log was away.
 *
 * What is in the log already is asked of the log itself, which knows the last sequence number of
 * every producer: after a failure the producer goes on from there, and a batch that had arrived is
 * looked for instead of being appended again.
 */
export class PartitionDelivery implements BatchDelivery {
  readonly #partition: Partition
  readonly #identity: ProducerIdentity
  readonly #options: DeliveryOptions
  readonly #inFlight = new Set<Promise<AppendResult>>()
  /** Of the next batch. */
  #sequence = 0
  /** Something was refused: what the log has may not be what was counted. */
  #isInDoubt = false
  /** To which was appended last; another one may have lost something since. */
  #log: Log | null = null
  #order = 0
  readonly #undelivered: Undelivered[] = []
  #retrying: Timer | null = null
  #retryMs = firstRetryMs

  constructor(partition: Partition, identity: ProducerIdentity, options: DeliveryOptions) {
    this.#partition = partition
    this.#identity = identity
    this.#options = options
  }

  /** The sequence number with which the next batch should be built; -1 where they have none. */
  get nextSequence(): number {
    return this.#isNumbered ? this.#sequence : -1
  }

  async deliver(batch: RecordBatch): Promise<AppendResult> {
    const isReopened = this.#log !== null && this.#partition.openLog !== this.#log
    if (this.#isInDoubt || isReopened) await this.#askTheLog()
    if (this.#isNumbered) {
      if (batch.baseSequence !== this.#sequence) batch.stampSequence(this.#sequence)
      this.#sequence = incrementSequence(this.#sequence, batch.count)
    }
    const order = this.#order++
    if (this.#undelivered.length > 0) return this.#deliverLater(batch, order, 0)
    let logEndOffset = 0
    try {
      const { log } = this.#partition
      logEndOffset = log.logEndOffset
      return await this.#append(log, batch)
    } catch (error) {
      if (this.#canWait(error)) return this.#deliverLater(batch, order, logEndOffset)
      this.#isInDoubt = true
      throw error
    }
  }

  /** Gives up what waits. */
  abandon(error: unknown): void {
    this.#retrying?.cancel()
    this.#retrying = null
    for (const { reject } of this.#undelivered.splice(0)) reject(error)
  }

  get #isNumbered(): boolean {
    return this.#identity.producerId >= 0
  }

  async #append(log: Log, batch: RecordBatch): Promise<AppendResult> {
    this.#log = log
    const appended = log.appendBatch(batch, { acks: this.#options.acks })
    this.#inFlight.add(appended)
    try {
      return await appended
    } finally {
      this.#inFlight.delete(appended)
    }
  }

  async #askTheLog(): Promise<void> {
    await Promise.allSettled(this.#inFlight)
    const log = this.#partition.openLog
    if (log === null || !this.#isNumbered || (!this.#isInDoubt && log === this.#log)) return
    // What waits to be sent again is numbered already.
    if (this.#undelivered.length > 0) return
    const last = this.#lastSequence(log)
    this.#log = log
    this.#sequence = last === null ? 0 : incrementSequence(last, 1)
    this.#isInDoubt = false
  }

  /** The last sequence number that the log has of this producer; null when it has none. */
  #lastSequence(log: Log): number | null {
    const { producerId, producerEpoch } = this.#identity
    const known = log.producers().find((producer) => producer.producerId === producerId)
    if (known === undefined || known.epoch !== producerEpoch) return null
    return known.batches.at(-1)?.lastSequence ?? null
  }

  #canWait(error: unknown): boolean {
    const isAway = error instanceof LogOfflineError || error instanceof LogClosedError
    const isFailedLog = isAway || this.#partition.isMissing
    return isFailedLog && this.#options.deliveryTimeoutMs > 0
  }

  #deliverLater(batch: RecordBatch, order: number, logEndOffset: Offset): Promise<AppendResult> {
    const { clock, deliveryTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const deadlineMs = clock.monotonic() + deliveryTimeoutMs
      this.#undelivered.push({ batch, order, logEndOffset, deadlineMs, resolve, reject })
      this.#undelivered.sort((a, b) => a.order - b.order)
      this.#retryLater()
    })
  }

  #retryLater(): void {
    if (this.#retrying !== null) return
    const { clock } = this.#options
    const retry = (): void => {
      this.#retrying = null
      void this.#retry()
    }
    this.#retrying = clock.setTimer(this.#retryMs, retry, { keepsAlive: true })
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax)
  }

  async #retry(): Promise<void> {
    try {
      const { log } = this.#partition
      if (log.isFailed) throw new LogOfflineError(log.name, 'appending', 'it has failed before')
      await Promise.allSettled(this.#inFlight)
      await this.#findDelivered(log)
      this.#retryMs = firstRetryMs
      const rest = this.#undelivered.splice(0)
      for (const item of rest) this.#redeliver(log, item)
    } catch (error) {
      this.#giveUpOverdue(error)
      if (this.#undelivered.length > 0) this.#retryLater()
    }
  }

  #redeliver(log: Log, item: Undelivered): void {
    this.#append(log, item.batch).then(item.resolve, (error: unknown) => {
      const isOverdue = this.#options.clock.monotonic() >= item.deadlineMs
      if (this.#canWait(error) && !isOverdue) {
        this.#undelivered.push(item)
        this.#undelivered.sort((a, b) => a.order - b.order)
        this.#retryLater()
        return
      }
      this.#isInDoubt = true
      item.reject(error)
    })
  }

  /** What had arrived before the log went away is told so. */
  async #findDelivered(log: Log): Promise<void> {
    const last = this.#isNumbered ? this.#lastSequence(log) : null
    if (last === null) return
    for (;;) {
      const [first] = this.#undelivered
      // Sequence numbers wrap: what is half of their range or more away lies ahead.
      const distance = first === undefined ? -1 : decrementSequence(last, first.batch.lastSequence)
      if (first === undefined || distance >= 2 ** 30) return
      const found = await findBatch(log, first)
      this.#undelivered.shift()
      first.resolve({ ...found, isDuplicate: true })
    }
  }

  #giveUpOverdue(error: unknown): void {
    const now = this.#options.clock.monotonic()
    const overdue = this.#undelivered.filter(({ deadlineMs }) => deadlineMs <= now)
    if (overdue.length === 0) return
    this.#isInDoubt = true
    // Those after it must not overtake it.
    for (const { reject } of this.#undelivered.splice(0)) reject(error)
  }
}

/** Where in the log a producer's batch is: -1 when it has been compacted or deleted since. */
async function findBatch(
  log: Log,
  { batch, logEndOffset }: Undelivered,
): Promise<{ readonly baseOffset: Offset; readonly lastOffset: Offset }> {
  const { producerId, producerEpoch, baseSequence } = batch
  const from = Math.max(Math.min(logEndOffset, log.highWatermark), log.logStartOffset)
  for await (const found of log.reader({ from })) {
    const isSame = found.producerId === producerId && found.producerEpoch === producerEpoch
    if (!isSame || found.baseSequence !== baseSequence || found.isControl) continue
    return { baseOffset: found.baseOffset, lastOffset: found.lastOffset }
  }
  return { baseOffset: -1, lastOffset: -1 }
}
