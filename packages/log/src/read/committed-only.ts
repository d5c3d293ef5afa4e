import type { Batch } from '@varve/record'
import type { AbortedTransaction } from '../format/transaction-index.ts'
import type { ReadSource } from '../segments/read-source.ts'

/** Leaves out what a reader of committed records must not see: aborted records, and all markers. */
export function committedOnly(source: ReadSource, batches: readonly Batch[]): readonly Batch[] {
  const first = batches[0]
  const last = batches.at(-1)
  if (first === undefined || last === undefined) return batches
  if (!batches.some((batch) => batch.isTransactional || batch.isControl)) return batches
  const aborted = source.abortedTransactions(first.baseOffset, last.nextOffset)
  return batches.filter((batch) => !batch.isControl && !isAborted(batch, aborted))
}

function isAborted(batch: Batch, aborted: readonly AbortedTransaction[]): boolean {
  if (!batch.isTransactional) return false
  return aborted.some(
    ({ producerId, firstOffset, lastOffset }) =>
      producerId === batch.producerId &&
      batch.baseOffset >= firstOffset &&
      batch.baseOffset <= lastOffset,
  )
}
