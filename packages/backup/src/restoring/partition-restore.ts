import { reindexLog } from '@varve/log'
import {
  LeaderEpochCache,
  leaderEpochCheckpointFileName,
  parseSegmentFileName,
  replaceSmallFile,
  segmentFileName,
} from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { StoredPartition } from '../format/manifest.ts'
import type { PartitionList, StoredSegment } from '../format/partition-list.ts'
import type { LocalCopies } from './local-copy.ts'
import { type SegmentRestoreContext, writeSegment } from './segment-writer.ts'

/** A partition that is to be restored. */
export interface RestoredPartition {
  readonly stored: StoredPartition
  readonly list: PartitionList
  /** `<topic>-<partition>` as it is to be called. */
  readonly name: string
  /** It ends before this offset. */
  readonly end: Offset
}

/** A segment of it, to be written. */
export interface SegmentJob {
  readonly partition: RestoredPartition
  readonly segment: StoredSegment
  readonly isLast: boolean
}

/** The segments that are wanted, in order. */
export function segmentJobs(partition: RestoredPartition): readonly SegmentJob[] {
  const { list, end, stored } = partition
  const wanted = list.segments.filter(
    ({ baseOffset, nextOffset }) => baseOffset < end && nextOffset > stored.logStartOffset,
  )
  return wanted.map((segment, index) => ({
    partition,
    segment,
    isLast: index === wanted.length - 1,
  }))
}

export interface PartitionRestoreContext extends SegmentRestoreContext {
  /** Of the data directory that is put together. */
  readonly staging: string
  readonly local: LocalCopies
}

/** Brings a segment. Resolves to the offset after its last batch, null when that was not looked at. */
export async function restoreSegment(
  context: PartitionRestoreContext,
  { partition, segment, isLast }: SegmentJob,
): Promise<Offset | null> {
  const directory = `${context.staging}/${partition.name}`
  // The last one will be appended to: its file must be nobody else's.
  if (!isLast && segment.nextOffset <= partition.end) {
    const log = `${partition.stored.topic}-${partition.stored.partition}`
    if (await context.local.link(segment, log, directory)) {
      context.advanced(segment.sizeBytes)
      return null
    }
  }
  return writeSegment(context, directory, segment, partition.end)
}

/**
 * Completes a partition whose segments are there: indexes, leader epochs, producers, and an empty
 * segment where the log ends behind its last record. `lastNext` is the offset after that.
 */
export async function completePartition(
  { fs, staging }: PartitionRestoreContext,
  { stored, list, name, end }: RestoredPartition,
  lastNext: Offset | null,
): Promise<void> {
  const directory = `${staging}/${name}`
  if ((lastNext ?? stored.logStartOffset) < end || lastNext === null) {
    const base = Math.max(end, stored.logStartOffset)
    const path = `${directory}/${segmentFileName(base, 'log')}`
    if (fs.stat(path) === null) fs.open(path, 'create').close()
  }
  await reindexLog(directory, { fs })
  for (const file of list.files) {
    const parsed = parseSegmentFileName(file.name)
    // What producers did beyond the end is undone.
    if (parsed !== null && parsed.baseOffset > end) continue
    const path = `${directory}/${file.name}`
    const isEpochs = file.name === leaderEpochCheckpointFileName
    const bytes = isEpochs ? epochsBefore(end, file.bytes, path) : file.bytes
    await replaceSmallFile(fs, path, bytes)
  }
  await fs.syncDirectory(directory)
}

function epochsBefore(end: Offset, bytes: Buffer, path: string): Buffer {
  const epochs = LeaderEpochCache.decode(bytes, path)
  epochs.truncateFromEnd(end)
  return epochs.encode()
}
