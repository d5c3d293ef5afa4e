import type { Batch, Offset, Timestamp } from '@varve/record'
import type { ObjectReader } from '../reading/object-reader.ts'
import { type StoredLog, storedBatches } from '../reading/stored-batches.ts'

/**
 * Up to where a backup is restored.
 *
 * - `end`: all of it.
 * - `offsets`: partitions that are named, by `<topic>-<partition>`, to before these offsets; the
 *   others to their end.
 * - `time`: each partition to before its first record that is younger.
 * - `stable`: each partition to before the first record of a transaction that is not decided.
 */
export type RestorePoint =
  | { readonly kind: 'end' }
  | { readonly kind: 'offsets'; readonly offsets: ReadonlyMap<string, Offset> }
  | { readonly kind: 'time'; readonly timestamp: Timestamp }
  | { readonly kind: 'stable' }

/** The offset before which a partition ends at that point; null for its own end. */
export async function cutOf(
  reader: ObjectReader,
  log: StoredLog,
  point: RestorePoint,
): Promise<Offset | null> {
  switch (point.kind) {
    case 'end':
      return null
    case 'offsets':
      return point.offsets.get(`${log.list.topic}-${log.list.partition}`) ?? null
    case 'time':
      return firstYounger(reader, log, point.timestamp)
    case 'stable':
      return firstUndecided(reader, log)
  }
}

async function firstYounger(
  reader: ObjectReader,
  log: StoredLog,
  timestamp: Timestamp,
): Promise<Offset | null> {
  const skips = ({ maxTimestamp }: { maxTimestamp: Timestamp }): boolean =>
    maxTimestamp <= timestamp
  for await (const batch of storedBatches(reader, log, { skips })) {
    if (batch.maxTimestamp <= timestamp) continue
    for (const record of batch.records()) {
      if (record.timestamp > timestamp) return record.offset
    }
  }
  return null
}

async function firstUndecided(reader: ObjectReader, log: StoredLog): Promise<Offset | null> {
  const open = new Map<string, Offset>()
  for await (const batch of storedBatches(reader, log)) {
    if (!batch.isTransactional) continue
    const producer = producerOf(batch)
    if (batch.isControl) open.delete(producer)
    else if (!open.has(producer)) open.set(producer, batch.baseOffset)
  }
  return open.size === 0 ? null : Math.min(...open.values())
}

const producerOf = ({ producerId }: Batch): string => String(producerId)
