import type { Offset } from '@varve/record'
import type { Acks } from '../base/log-options.ts'
import type { AppendResult } from './append-result.ts'

/** Settles the promise of an append; with a promise that is rejected, as that. */
export type Settle = (result: AppendResult | Promise<never>) => void

/**
 * Who waits for a batch: the calls to append that share it, in the order of their records. Kept in
 * arrays, because with one promise a record everything that is kept for a call counts.
 */
export class Waiters {
  readonly #settles: Settle[] = []
  /** Records of each call. */
  readonly #counts: number[] = []
  #asksToBeFlushed = false

  add(count: number, acks: Acks, settle: Settle): void {
    this.#counts.push(count)
    this.#settles.push(settle)
    if (acks === 'flushed') this.#asksToBeFlushed = true
  }

  /** Calls that wait. */
  get size(): number {
    return this.#settles.length
  }

  /** Whether any of them waits for the flush; then all do, who share the batch. */
  get asksToBeFlushed(): boolean {
    return this.#asksToBeFlushed
  }

  /** Tells everybody where in the batch their records begin and end. */
  resolve(batchBaseOffset: Offset): void {
    let baseOffset = batchBaseOffset
    for (let index = 0; index < this.#settles.length; index++) {
      const nextOffset = baseOffset + (this.#counts[index] ?? 0)
      this.#settles[index]?.({ baseOffset, lastOffset: nextOffset - 1, isDuplicate: false })
      baseOffset = nextOffset
    }
  }

  /** Tells everybody where the batch was found. */
  resolveAsDuplicate(baseOffset: Offset, lastOffset: Offset): void {
    for (const settle of this.#settles) settle({ baseOffset, lastOffset, isDuplicate: true })
  }

  reject(error: unknown): void {
    const rejected = Promise.reject(error)
    // Who waits has a promise of their own to be handled.
    rejected.catch(() => undefined)
    for (const settle of this.#settles) settle(rejected)
  }
}
