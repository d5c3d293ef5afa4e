import type { Offset } from '@varve/record'
import { transactionIndexEntryBytes } from '../format/transaction-index.ts'
import type { CompletedTransaction } from '../producers/producer-state.ts'
import type { File } from '../storage/file-system.ts'
import { EntryReader, type IndexFault } from './index-checks.ts'

const producerIdField = 2
const firstOffsetField = 10
const lastOffsetField = 18
const lastStableOffsetField = 26

/**
 * A `.txnindex` beside the aborted transactions that replaying the log finds. `isExact`: the replay
 * knows everything that came before. Where it does not (the log's beginning was deleted, or
 * compaction took what a transaction began with) only those that it finds must be there; and never
 * those of which nothing is left but the marker.
 */
export class TransactionIndexCheck {
  readonly #entries: EntryReader | null
  readonly #baseOffset: Offset
  #isAtEntry = false
  #lastOffset: Offset = -1
  #fault: IndexFault | null = null

  /** `file`: null when there is none, as for most segments. */
  constructor(file: File | null, baseOffset: Offset) {
    this.#baseOffset = baseOffset
    this.#entries = file === null ? null : new EntryReader(file, transactionIndexEntryBytes)
    this.#advance()
  }

  get fault(): IndexFault | null {
    return this.#fault
  }

  aborted(
    transaction: CompletedTransaction & { readonly isSeen: boolean },
    isExact: boolean,
  ): void {
    const { lastOffset, producerId, firstOffset, lastStableOffset } = transaction
    if (!isExact)
      while (this.#isAtEntry && this.#field(lastOffsetField) < lastOffset) this.#advance()
    if (this.#fault !== null) return
    const isThere =
      this.#isAtEntry &&
      this.#field(lastOffsetField) === lastOffset &&
      this.#field(producerIdField) === producerId &&
      (!isExact || this.#field(firstOffsetField) === firstOffset) &&
      (!isExact || this.#field(lastStableOffsetField) === lastStableOffset)
    if (isThere) {
      this.#advance()
      return
    }
    if (!transaction.isSeen) return
    const what = `producer ${producerId} aborted a transaction from offset ${firstOffset}`
    this.#fail('index-mismatch', `${what} to ${lastOffset}, which it does not say`)
  }

  finish(isExact: boolean): void {
    while (!isExact && this.#isAtEntry) this.#advance()
    if (!this.#isAtEntry) return
    this.#fail('index-mismatch', 'the log has no such aborted transaction')
  }

  #advance(): void {
    this.#isAtEntry = false
    const entries = this.#entries
    if (entries === null || this.#fault !== null) return
    if (!entries.next()) {
      const { restBytes } = entries
      if (restBytes > 0) this.#fail('index-corrupt', `${restBytes} bytes at its end are no entry`)
      return
    }
    this.#isAtEntry = true
    const problem = this.#entryProblem(entries)
    if (problem !== null) this.#fail('index-corrupt', problem)
  }

  #entryProblem(entries: EntryReader): string | null {
    const version = entries.int32At(0) >> 16
    if (version !== 0) return `version ${version}`
    const fields = [producerIdField, firstOffsetField, lastOffsetField, lastStableOffsetField]
    for (const field of fields) {
      const value = entries.int64At(field)
      if (value < 0 || !Number.isSafeInteger(value)) return `the number ${value}`
    }
    const lastOffset = entries.int64At(lastOffsetField)
    if (lastOffset <= this.#lastOffset || lastOffset < this.#baseOffset) {
      return `last offset ${lastOffset} does not rise`
    }
    if (entries.int64At(firstOffsetField) > lastOffset) return 'it ends before it begins'
    this.#lastOffset = lastOffset
    return null
  }

  #field(field: number): number {
    return this.#entries?.int64At(field) ?? -1
  }

  #fail(code: IndexFault['code'], message: string): void {
    const isAtEntry = this.#isAtEntry && code === 'index-mismatch'
    const firstOffset = isAtEntry ? this.#field(firstOffsetField) : null
    const lastOffset = isAtEntry ? this.#field(lastOffsetField) : null
    this.#isAtEntry = false
    const position = Math.max(this.#entries?.position ?? 0, 0)
    const sizeBytes = this.#entries === null ? 0 : transactionIndexEntryBytes
    this.#fault ??= { code, position, sizeBytes, firstOffset, lastOffset, message }
  }
}
