import {
  CorruptProducerSnapshotError,
  decodeProducerSnapshot,
  parseSegmentFileName,
} from '@varve/log/files'
import type { Offset, Timestamp } from '@varve/record'
import type { ObjectReader } from '../reading/object-reader.ts'
import { type StoredLog, storedBatches } from '../reading/stored-batches.ts'

/**
 * Up to where a backup is restored.
 *
 * - `end`: all of it.
 * - `offsets`: partitions that are named, by `<topic>-<partition>`, to before these offsets; the
 *   others to their end.
 * - `time`: each partition to before its first record that is younger.
 * - `stable`: each partition to before the first record of a transaction that is not decided. One
 *   that is, and of which only some partitions know yet, stays whole where
 *   `RestoreHooks.decidedProducers` tells of it.
 */
export type RestorePoint =
  | { readonly kind: 'end' }
  | { readonly kind: 'offsets'; readonly offsets: ReadonlyMap<string, Offset> }
  | { readonly kind: 'time'; readonly timestamp: Timestamp }
  | { readonly kind: 'stable' }

/** What has to be known of a partition to cut it. */
export interface CutFacts {
  readonly logStartOffset: Offset
  /**
   * Producers whose transaction is decided, though its markers are not in every partition yet:
   * whoever opens what is restored writes those that are missing.
   */
  readonly decided: ReadonlySet<number>
}

/** The offset before which a partition ends at that point; null for its own end. */
export async function cutOf(
  reader: ObjectReader,
  log: StoredLog,
  point: RestorePoint,
  { logStartOffset, decided }: CutFacts,
): Promise<Offset | null> {
  switch (point.kind) {
    case 'end':
      return null
    case 'offsets':
      return point.offsets.get(`${log.list.topic}-${log.list.partition}`) ?? null
    case 'time':
      return firstYounger(reader, log, point.timestamp, logStartOffset)
    case 'stable':
      return firstUndecided(reader, log, decided)
  }
}

async function firstYounger(
  reader: ObjectReader,
  log: StoredLog,
  timestamp: Timestamp,
  from: Offset,
): Promise<Offset | null> {
  const skips = ({ maxTimestamp }: { maxTimestamp: Timestamp }): boolean =>
    maxTimestamp <= timestamp
  for await (const batch of storedBatches(reader, log, { skips, from })) {
    if (batch.maxTimestamp <= timestamp) continue
    for (const record of batch.records()) {
      if (record.offset >= from && record.timestamp > timestamp) return record.offset
    }
  }
  return null
}

/**
 * The newest snapshot of the producers says which transactions were under way at its offset; only
 * what comes behind it has to be read.
 */
async function firstUndecided(
  reader: ObjectReader,
  log: StoredLog,
  decided: ReadonlySet<number>,
): Promise<Offset | null> {
  const { offset: from, open } = newestSnapshot(log)
  for await (const batch of storedBatches(reader, log, { from })) {
    if (!batch.isTransactional || batch.lastOffset < from) continue
    if (batch.isControl) open.delete(batch.producerId)
    else if (!open.has(batch.producerId)) open.set(batch.producerId, batch.baseOffset)
  }
  for (const producerId of decided) open.delete(producerId)
  return open.size === 0 ? null : Math.min(...open.values())
}

interface OpenTransactions {
  readonly offset: Offset
  /** First offsets, by producer. */
  readonly open: Map<number, Offset>
}

function newestSnapshot({ list }: StoredLog): OpenTransactions {
  const end = list.segments.at(-1)?.nextOffset ?? 0
  const found = list.files
    .map((file) => ({ file, offset: parseSegmentFileName(file.name)?.baseOffset ?? -1 }))
    .filter(({ offset }) => offset >= 0 && offset <= end)
    .sort((a, b) => b.offset - a.offset)
  for (const { file, offset } of found) {
    try {
      const open = new Map<number, Offset>()
      for (const producer of decodeProducerSnapshot(file.bytes, file.name)) {
        const first = producer.currentTransactionFirstOffset
        if (first !== null) open.set(producer.producerId, first)
      }
      return { offset, open }
    } catch (error) {
      // A process that was killed had half-written it.
      if (!(error instanceof CorruptProducerSnapshotError)) throw error
    }
  }
  return { offset: 0, open: new Map() }
}
