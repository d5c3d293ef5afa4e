import type { Offset } from '@varve/record'
import type { Acks } from '../base/log-options.ts'
import type { AppendResult } from './append-result.ts'

/** Settles the promise of an append; with a promise that is rejected, as that. */
export type Settle = (result: AppendResult | Promise<never>) => void

/**
 * Who waits for a batch: the calls to append that share it, in the order of their records. Kept in
 * arrays, because with one promise a record everything that is kept for a call counts; and let go
 * of once they are told, because whatever the collector finds alive it copies.
 */
export class Waiters {
  #settles: Settle[] = []
  /** Records of each call; null while each has one. */
  #counts: number[] | null = null
  #asksToBeFlushed = false

  add(count: number, acks: Acks, settle: Settle): void {
    if (count !== 1 && this.#counts === null) this.#counts = this.#settles.map(() => 1)
    this.#counts?.push(count)
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
    const counts = this.#counts
    const settles = this.#take()
    let baseOffset = batchBaseOffset
    for (let index = 0; index < settles.length; index++) {
      const nextOffset = baseOffset + (counts?.[index] ?? 1)
      settles[index]?.({ baseOffset, lastOffset: nextOffset - 1, isDuplicate: false })
      baseOffset = nextOffset
    }
  }

  /** Tells everybody where the batch was found. */
  resolveAsDuplicate(baseOffset: Offset, lastOffset: Offset): void {
    for (const settle of this.#take()) settle({ baseOffset, lastOffset, isDuplicate: true })
  }

  reject(error: unknown): void {
    const rejected = Promise.reject(error)
    // Who waits has a promise of their own to be handled.
    rejected.catch(() => undefined)
    for (const settle of this.#take()) settle(rejected)
  }

  #take(): readonly Settle[] {
    const settles = this.#settles
    this.#settles = []
    this.#counts = null
    return settles
  }
}
