import type { Clock } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { NotRetriable } from '../handling/attempts.ts'
import type { RawRecord } from '../handling/handled-record.ts'
import { exponentialRetry, type RetryPolicy } from '../handling/retry-policy.ts'
import type { Delivery } from './delivery.ts'
import { DeliveryExpiredError } from './queue-errors.ts'

/** How records of a queue are handled. */
export interface ProcessOptions {
  /** Handles one record; it is acknowledged when this resolves. */
  readonly handler: (record: RawRecord, context: ProcessContext) => Promise<void> | void
  /** How many records are handled at the same time. @defaultValue 1 */
  readonly concurrency?: number
  /**
   * After which wait a record that failed is delivered again, to anybody; when the policy gives up,
   * or the handler throws NotRetriable, it is rejected. Attempts are deliveries, and the time that
   * has passed is since the record's timestamp. @defaultValue exponential, 5 attempts
   */
  readonly retry?: RetryPolicy
  /** Ends processing: nothing more is taken, and what is being handled is waited for. */
  readonly signal?: AbortSignal
}

/** What a handler of a queue is told beside its record. */
export interface ProcessContext {
  /** How often the record has been delivered, this time included. */
  readonly deliveryCount: number
  /** Given when processing has to end. */
  readonly signal: AbortSignal
}

/** What a worker needs of its queue. */
export interface WorkerContext {
  dequeue(signal: AbortSignal): Promise<Delivery | null>
  readonly visibilityTimeoutMs: number
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
}

/**
 * Takes records of a queue and handles them, until it is told to stop. While a handler works, its
 * delivery is extended, so that only a process that has ended lets the visibility time-out pass.
 */
export class QueueWorker {
  readonly #options: ProcessOptions
  readonly #retry: RetryPolicy
  readonly #context: WorkerContext
  readonly #stopping = new AbortController()

  constructor(options: ProcessOptions, context: WorkerContext) {
    const { concurrency = 1, retry = exponentialRetry() } = options
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      throw new InvalidArgumentError('concurrency', concurrency, 'must be a positive integer')
    }
    this.#options = options
    this.#retry = retry
    this.#context = context
  }

  /** Rejects with what taking or finishing records failed with, after all handlers have ended. */
  async run(): Promise<void> {
    const { concurrency = 1, signal } = this.#options
    const stop = (): void => this.#stopping.abort()
    signal?.addEventListener('abort', stop)
    if (signal?.aborted === true) stop()
    try {
      const lanes = Array.from({ length: concurrency }, () => this.#work())
      const results = await Promise.allSettled(lanes)
      for (const result of results) if (result.status === 'rejected') throw result.reason
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping
    try {
      while (!signal.aborted) {
        const delivery = await this.#context.dequeue(signal)
        if (delivery !== null) await this.#handle(delivery)
      }
    } catch (error) {
      this.#stopping.abort()
      throw error
    }
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { signal } = this.#stopping
    const { deliveryCount, record } = delivery
    const stopExtending = this.#extend(delivery)
    let failure: { readonly error: unknown } | null = null
    try {
      await this.#options.handler(record, { deliveryCount, signal })
    } catch (error) {
      failure = { error }
    } finally {
      stopExtending()
    }
    try {
      if (failure === null) await delivery.acknowledge()
      else await this.#giveBack(delivery, failure.error)
    } catch (error) {
      // Somebody else has the record now, and will finish it.
      if (!(error instanceof DeliveryExpiredError)) throw error
    }
  }

  #giveBack(delivery: Delivery, error: unknown): Promise<void> {
    // A handler that was told to stop has not failed.
    if (this.#stopping.signal.aborted) return delivery.release()
    const { clock, random } = this.#context
    const elapsedMs = Math.max(0, clock.now() - delivery.record.timestamp)
    const isFinal = error instanceof NotRetriable
    const delayMs = isFinal ? null : this.#retry.delayMs(delivery.deliveryCount, elapsedMs, random)
    return delayMs === null ? delivery.reject(error) : delivery.release({ delayMs })
  }

  #extend(delivery: Delivery): () => void {
    const { clock, visibilityTimeoutMs } = this.#context
    const again = () => clock.setTimer(visibilityTimeoutMs / 2, extend)
    const extend = (): void => {
      try {
        delivery.extend()
        timer = again()
      } catch (error) {
        if (!(error instanceof DeliveryExpiredError)) throw error
      }
    }
    let timer = again()
    return () => timer.cancel()
  }
}
