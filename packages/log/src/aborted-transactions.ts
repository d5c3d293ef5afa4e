import type { Batch, Offset } from '@varve/record'
import type { ReadSource } from './read-source.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/**
 * The aborted transactions that touch offsets from `from` (inclusive) to `upperBound` (exclusive),
 * as Kafka lists them in answer to a read of committed records.
 */
export function abortedTransactionsIn(
  source: ReadSource,
  from: Offset,
  upperBound: Offset,
): readonly AbortedTransaction[] {
  const found: AbortedTransaction[] = []
  let segment = source.segmentFor(from)
  while (segment !== null) {
    const { aborted, isComplete } = segment.transactionIndex.collect(from, upperBound)
    found.push(...aborted)
    if (isComplete) break
    segment = source.segmentAfter(segment.baseOffset)
  }
  return found
}

/** Leaves out what a reader of committed records must not see: aborted records, and all markers. */
export function committedOnly(source: ReadSource, batches: readonly Batch[]): readonly Batch[] {
  const first = batches[0]
  const last = batches.at(-1)
  if (first === undefined || last === undefined) return batches
  if (!batches.some((batch) => batch.isTransactional || batch.isControl)) return batches
  const aborted = abortedTransactionsIn(source, first.baseOffset, last.nextOffset)
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
