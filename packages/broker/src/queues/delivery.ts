import type { RawRecord } from '../handling/handled-record.ts'
import type { QueueEntry } from './queue-entry.ts'
import type { QueuePartition } from './queue-partition.ts'

/**
 * A record that a consumer of a queue has for a while. It is the consumer's until it is
 * acknowledged, released or rejected, or the visibility time-out has passed; after that each of
 * these rejects with DeliveryExpiredError.
 */
export class Delivery {
  /** The record, in bytes as it was appended. */
  readonly record: RawRecord
  /** How often it has been delivered, this time included. */
  readonly deliveryCount: number
  readonly #partition: QueuePartition
  readonly #entry: QueueEntry
  readonly #visibilityTimeoutMs: number
  #turn: number

  /** @internal Queues make them. */
  constructor(
    record: RawRecord,
    partition: QueuePartition,
    lock: { readonly entry: QueueEntry; readonly turn: number },
    visibilityTimeoutMs: number,
  ) {
    this.record = record
    this.deliveryCount = lock.entry.deliveryCount
    this.#partition = partition
    this.#entry = lock.entry
    this.#turn = lock.turn
    this.#visibilityTimeoutMs = visibilityTimeoutMs
  }

  /** The record is done: once this resolves it never comes back, whatever crashes. */
  acknowledge(): Promise<void> {
    return this.#partition.acknowledge(this.#entry, this.#turn)
  }

  /** Gives the record back: it is delivered again, to anybody, after `delayMs` (default 0). */
  release(options: { readonly delayMs?: number } = {}): Promise<void> {
    return this.#partition.release(this.#entry, this.#turn, options.delayMs ?? 0)
  }

  /** The record cannot be handled: it goes to the dead letters, with this as the reason. */
  reject(error: unknown = new Error('rejected')): Promise<void> {
    return this.#partition.reject(this.#entry, this.#turn, error)
  }

  /** Begins the visibility time-out anew, in ms; by default as long as it was. */
  extend(visibilityTimeoutMs: number = this.#visibilityTimeoutMs): void {
    this.#turn = this.#partition.extend(this.#entry, this.#turn, visibilityTimeoutMs)
  }
}
