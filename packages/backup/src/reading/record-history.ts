import type { FileSystem } from '@varve/log'
import {
  type Batch,
  CorruptBatchError,
  type Offset,
  readBatches,
  type Timestamp,
} from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { BackupGap } from '../format/manifest.ts'
import type { StoredFileContent } from '../format/partition-list.ts'
import { BackupCatalogue, type ReadManifest } from '../repository/backup-catalogue.ts'
import type { Repository } from '../repository/repository.ts'
import type {
  PartitionSnapshot,
  SegmentSnapshot,
  SourceSnapshot,
} from '../source/source-snapshot.ts'
import { checkPartitionList } from './list-check.ts'
import type { ObjectReader } from './object-reader.ts'
import { storedBatches } from './stored-batches.ts'

export interface HistoryReadOptions {
  /** The first offset that is wanted; the batch that holds it comes whole. */
  readonly from: Offset
  /** Segments whose records are all older may be left out. @defaultValue none is */
  readonly since?: Timestamp
}

/** The batches of a partition as they were at one moment, wherever they are kept. */
export interface HistoryPartition {
  readonly topic: string
  readonly partition: number
  /** Null before Kafka 2.8. */
  readonly topicId: string | null
  readonly logStartOffset: Offset
  /** One more than the last offset. */
  readonly endOffset: Offset
  /** In order, each proven; one is valid until the next one is asked for. */
  batches(options: HistoryReadOptions): AsyncIterable<Batch>
}

/** The records of a data directory at one moment: a backup, or a snapshot of the directory. */
export interface RecordHistory {
  /** The same for all moments of one source. */
  readonly sourceId: string
  /** For people. */
  readonly name: string
  readonly takenMs: Timestamp
  readonly partitions: readonly HistoryPartition[]
  /** Of the data directory itself. */
  readonly files: readonly StoredFileContent[]
  /** What should be there and is not. */
  readonly gaps: readonly BackupGap[]
}

/** The records of a backup, read from the repository without restoring it. */
export function backupHistory(
  repository: Repository,
  { manifest, name }: ReadManifest,
  reader: ObjectReader,
): RecordHistory {
  const catalogue = new BackupCatalogue(repository)
  const partitions = manifest.partitions.map((stored): HistoryPartition => {
    const { topic, partition, topicId, logStartOffset, endOffset } = stored
    return {
      ...{ topic, partition, topicId, logStartOffset, endOffset },
      async *batches({ from, since = -1 }) {
        const list = await catalogue.partitionList(manifest, stored)
        checkPartitionList(manifest, stored, list)
        const log = { sets: manifest.sets, list }
        const skips = ({ maxTimestamp }: { readonly maxTimestamp: Timestamp }): boolean =>
          isOlder(maxTimestamp, since)
        let next = from
        for await (const batch of storedBatches(reader, log, { from, skips })) {
          // The lists of objects say what follows what; the batches must agree.
          if (batch.lastOffset < next || batch.nextOffset > endOffset) {
            const reason = `offset ${batch.lastOffset} is out of its place`
            throw new CorruptRepositoryError(`${topic}-${partition}`, reason)
          }
          next = batch.nextOffset
          yield batch
        }
      },
    }
  })
  return {
    sourceId: name.sourceId,
    name: `${manifest.source} in backup ${manifest.backupId}`,
    takenMs: manifest.takenMs,
    partitions,
    files: manifest.files,
    gaps: manifest.gaps,
  }
}

/** The records of a data directory as a snapshot holds it; good until that is released. */
export function snapshotHistory(
  fs: FileSystem,
  name: string,
  snapshot: SourceSnapshot,
): RecordHistory {
  const gaps = snapshot.missing.map(({ topic, partition, reason }) => {
    return { topic, partition, from: 0, to: 0, reason }
  })
  return {
    ...{ sourceId: name, name, gaps, takenMs: snapshot.takenMs, files: snapshot.files },
    partitions: snapshot.partitions.map((partition) => ofSnapshot(fs, partition)),
  }
}

function ofSnapshot(fs: FileSystem, snapshot: PartitionSnapshot): HistoryPartition {
  const { topic, partition, topicId, logStartOffset, endOffset } = snapshot
  return {
    ...{ topic, partition, topicId, logStartOffset, endOffset },
    async *batches({ from }) {
      for (const segment of snapshot.segments) {
        if (segment.nextOffset <= from) continue
        for await (const batch of segmentBatches(fs, segment)) {
          // The files of a log in use go on, perhaps with half a batch.
          if (batch.nextOffset > endOffset) return
          if (batch.nextOffset > from) yield batch
          if (batch.nextOffset === endOffset) return
        }
      }
    },
  }
}

function isOlder(maxTimestamp: Timestamp, since: Timestamp): boolean {
  return maxTimestamp >= 0 && maxTimestamp < since
}

const stretchBytes = 2 ** 20

/** Rejects with CorruptBatchError, and with the system's errors. */
async function* segmentBatches(
  fs: FileSystem,
  { path, sizeBytes }: SegmentSnapshot,
): AsyncGenerator<Batch, void, undefined> {
  const file = fs.open(path, 'read')
  try {
    let wanted = stretchBytes
    for (let position = 0; position < sizeBytes; ) {
      const stretch = Buffer.allocUnsafe(Math.min(wanted, sizeBytes - position))
      const filled = await file.read(stretch, position)
      let at = 0
      for (const batch of readBatches(stretch.subarray(0, filled), position)) {
        batch.validate()
        yield batch
        at += batch.sizeBytes
      }
      if (at === 0 && (filled < stretch.length || filled === sizeBytes - position)) {
        throw new CorruptBatchError(`${path} ends within a batch`, position)
      }
      // A batch that is larger than a stretch.
      wanted = at === 0 ? 2 * wanted : stretchBytes
      position += at
    }
  } finally {
    file.close()
  }
}
