import type { AbortedTransaction } from '@varve/log'
import { type Batch, controlTypeOf } from '@varve/record'

/** What becomes of a batch because of its transaction. */
export interface TransactionFate {
  /**
   * Of data: it was aborted. Of a marker: nothing of its transaction is left, so that it can go
   * when its time has come.
   */
  readonly isDiscardable: boolean
  /** The transaction whose abort marker this is, as long as something of it is left. */
  readonly aborted: AbortedTransaction | null
}

const kept: TransactionFate = { isDiscardable: false, aborted: null }
const discardable: TransactionFate = { isDiscardable: true, aborted: null }

/**
 * Follows the transactions of a log while its batches are read in order (Kafka's
 * CleanedTransactionMetadata): which data was aborted, and which markers nobody needs any more
 * because nothing of their transaction was met.
 */
export class TransactionFates {
  readonly #aborted = new Map<number, AbortedTransaction[]>()
  /** Aborted transactions of which data was met. */
  readonly #observed = new Set<AbortedTransaction>()
  /** Producers with data that was met and not aborted, and no marker yet. */
  readonly #ongoing = new Set<number>()

  /** In any order, and twice where two indexes name the same. */
  constructor(aborted: readonly AbortedTransaction[]) {
    const sorted = aborted.toSorted((one, two) => one.lastOffset - two.lastOffset)
    for (const transaction of sorted) {
      const list = this.#aborted.get(transaction.producerId) ?? []
      if (list.at(-1)?.lastOffset !== transaction.lastOffset) list.push(transaction)
      this.#aborted.set(transaction.producerId, list)
    }
  }

  /** Whether data was aborted. Changes nothing. */
  isAborted(batch: Batch): boolean {
    return batch.isTransactional && !batch.isControl && this.#abortedAt(batch) !== null
  }

  /** Takes note of the next batch. */
  see(batch: Batch): TransactionFate {
    if (batch.isControl) return this.#seeControl(batch)
    if (!batch.isTransactional) return kept
    const aborted = this.#abortedAt(batch)
    if (aborted === null) {
      this.#ongoing.add(batch.producerId)
      return kept
    }
    this.#observed.add(aborted)
    return discardable
  }

  #seeControl(batch: Batch): TransactionFate {
    for (const record of batch.records()) {
      const type = controlTypeOf(record)
      if (type === 'commit') return this.#ongoing.delete(batch.producerId) ? kept : discardable
      if (type !== 'abort') return kept
      const aborted = this.#abortedAt(batch)
      return aborted !== null && this.#observed.has(aborted)
        ? { isDiscardable: false, aborted }
        : discardable
    }
    // An empty one was cleaned before.
    return discardable
  }

  /** The aborted transaction of this producer that covers the batch. */
  #abortedAt(batch: Batch): AbortedTransaction | null {
    const list = this.#aborted.get(batch.producerId)
    if (list === undefined) return null
    const offset = batch.baseOffset
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((list[middle]?.lastOffset ?? 0) < offset) low = middle + 1
      else high = middle
    }
    const found = list[low]
    return found !== undefined && found.firstOffset <= offset ? found : null
  }
}
