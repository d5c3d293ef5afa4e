import type { Log } from '@varve/log'
import type { Batch, Offset, RecordInput } from '@varve/record'
import type { ProducerIdentity } from './producer-identity.ts'

/** The header that says where in its source a record was taken from, in decimal digits. */
export const sourceOffsetHeader = 'varve-source-offset'

/** The record, saying where it was taken from. */
export function withSourceOffset(record: RecordInput, sourceOffset: number): RecordInput {
  const header = { key: sourceOffsetHeader, value: String(sourceOffset) }
  return { ...record, headers: [...(record.headers ?? []), header] }
}

/**
 * The last source offset that a producer has sent to a log, in this life or an earlier one; -1 when
 * the log holds none.
 *
 * The log remembers each producer's newest batch for a day and more: mostly it is enough to read
 * that. Where it has forgotten, the batches of the whole log are gone through, by their headers.
 */
export async function lastSourceOffset(log: Log, identity: ProducerIdentity): Promise<number> {
  const { producerId } = identity
  const known = log.producers().find((producer) => producer.producerId === producerId)
  const newest = known?.batches.at(-1)?.lastOffset
  if (newest !== undefined && newest >= log.logStartOffset) {
    const found = await lastIn(log, newest, producerId, 1)
    if (found >= 0) return found
  }
  return lastIn(log, log.logStartOffset, producerId, Number.POSITIVE_INFINITY)
}

/** The last one in the first `batchesMax` batches from an offset on. */
async function lastIn(
  log: Log,
  from: Offset,
  producerId: number,
  batchesMax: number,
): Promise<number> {
  let last = -1
  let batches = 0
  for await (const batch of log.reader({ from })) {
    if (batch.producerId === producerId && !batch.isControl)
      last = Math.max(last, lastSourceOffsetIn(batch))
    batches++
    if (batches >= batchesMax) break
  }
  return last
}

/** The last source offset in a batch; -1 none. */
export function lastSourceOffsetIn(batch: Batch): number {
  let last = -1
  for (const { headers } of batch.records()) {
    for (const { key, value } of headers) {
      if (key !== sourceOffsetHeader || value === null) continue
      const sourceOffset = Number(value.toString('latin1'))
      if (Number.isSafeInteger(sourceOffset) && sourceOffset > last) last = sourceOffset
    }
  }
  return last
}
