import { type LogOptions, reindexLog } from '@varve/log'
import {
  encodePartitionMetadata,
  LeaderEpochCache,
  leaderEpochCheckpointFileName,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionMetadataFileName,
  readSmallFile,
  replaceSmallFile,
  segmentFileName,
} from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { StoredPartition } from '../format/manifest.ts'
import type { PartitionList, StoredFileContent, StoredSegment } from '../format/partition-list.ts'
import type { LocalCopies } from './local-copy.ts'
import { type SegmentRestoreContext, writeSegment } from './segment-writer.ts'

/** More than the small files of a partition have. */
const smallFileBytesMax = 2 ** 30

/** A partition that is to be restored. */
export interface RestoredPartition {
  readonly stored: StoredPartition
  readonly list: PartitionList
  /** `<topic>-<partition>` as it is to be called. */
  readonly name: string
  /** Of its topic: under a new name it is another topic, with an id of its own. */
  readonly topicId: string | null
  /** It ends before this offset. */
  readonly end: Offset
}

/** A segment of it, to be written. */
export interface SegmentJob {
  readonly partition: RestoredPartition
  readonly segment: StoredSegment
  /** Whether its file may be one that another directory has too: nobody will write to it. */
  readonly isShareable: boolean
}

/** The segments that are wanted, in order. */
export function segmentJobs(partition: RestoredPartition): readonly SegmentJob[] {
  const { list, end, stored } = partition
  const wanted = list.segments.filter(
    ({ baseOffset, nextOffset }) => baseOffset < end && nextOffset > stored.logStartOffset,
  )
  return wanted.map((segment) => ({
    partition,
    segment,
    isShareable: segment.isSealed && segment.nextOffset <= end,
  }))
}

export interface PartitionRestoreContext extends SegmentRestoreContext {
  /** The data directory that is put together. */
  readonly staging: string
  /** The one that it replaces; there may be none. */
  readonly replaced: string
  readonly local: LocalCopies
  /** Settings of the log of a partition: how its indexes are to be. */
  readonly logOptions: (topic: string, partition: number) => LogOptions
}

/**
 * Brings a segment, durably but for its name. Resolves to the offset after its last batch, null
 * when that was not looked at.
 */
export async function restoreSegment(
  context: PartitionRestoreContext,
  { partition, segment, isShareable }: SegmentJob,
): Promise<Offset | null> {
  const { fs, staging, replaced, local } = context
  const directory = `${staging}/${partition.name}`
  const path = `${directory}/${segmentFileName(segment.baseOffset, 'log')}`
  if (isShareable) {
    const { topic, partition: number } = partition.stored
    // From a run before that was interrupted, or from what is replaced.
    const isHere =
      (await local.has(segment, directory)) ||
      (await local.link(segment, `${replaced}/${topic}-${number}`, directory))
    if (isHere) {
      await flush(context, path)
      context.advanced(segment.sizeBytes)
      return null
    }
  }
  // It may be a second name of a file that somebody else has.
  if (fs.stat(path) !== null) await fs.remove(path)
  return writeSegment(context, directory, segment, partition.end)
}

/** What a process that was killed wrote, or somebody copied, need not be on the disk yet. */
async function flush({ fs }: PartitionRestoreContext, path: string): Promise<void> {
  const file = fs.open(path, 'read')
  try {
    await file.datasync()
  } finally {
    file.close()
  }
}

/**
 * Completes a partition whose segments are there: indexes, leader epochs, producers, and an empty
 * segment to be appended to where the last one is sealed, or does not reach to the end. `lastNext`
 * is the offset after its last batch, where that is known.
 */
export async function completePartition(
  context: PartitionRestoreContext,
  partition: RestoredPartition,
  lastNext: Offset | null,
): Promise<void> {
  const { fs, staging } = context
  const { end, name } = partition
  const directory = `${staging}/${name}`
  const isSealed = segmentJobs(partition).at(-1)?.isShareable ?? true
  if (isSealed || lastNext === null || lastNext < end) {
    const path = `${directory}/${segmentFileName(end, 'log')}`
    if (fs.stat(path) === null) fs.open(path, 'create').close()
  }
  const files = filesOf(partition, directory)
  for (const { name: file, bytes } of files) {
    await replaceSmallFile(fs, `${directory}/${file}`, bytes)
  }
  await reindex(context, partition, directory)
  // What the source knew counts: compaction and retention may have taken what it knew it from.
  for (const { name: file, bytes } of files) {
    const path = `${directory}/${file}`
    if (readSmallFile(fs, path, smallFileBytesMax)?.equals(bytes) === true) continue
    await replaceSmallFile(fs, path, bytes)
  }
  await fs.syncDirectory(directory)
}

/** Segments that were damaged in the source are left without indexes, for whoever repairs them. */
async function reindex(
  { fs, logOptions }: PartitionRestoreContext,
  partition: RestoredPartition,
  directory: string,
): Promise<void> {
  const parsed = parsePartitionDirectoryName(partition.name)
  const log = parsed === null ? {} : logOptions(parsed.topic, parsed.partition)
  const options = { fs, log, isLocked: true }
  const segments = segmentJobs(partition).map(({ segment }) => segment)
  if (segments.every(({ damage }) => damage === null)) {
    await reindexLog(directory, options)
    return
  }
  for (const { baseOffset, damage } of segments) {
    if (damage !== null) continue
    await reindexLog(`${directory}/${segmentFileName(baseOffset, 'log')}`, options)
  }
}

/** The small files as they belong to the partition with its new end and name. */
function filesOf(
  { list, end, topicId, stored }: RestoredPartition,
  directory: string,
): readonly StoredFileContent[] {
  return list.files.flatMap(({ name, bytes }) => {
    const parsed = parseSegmentFileName(name)
    // What producers did beyond the end is undone.
    if (parsed !== null && parsed.baseOffset > end) return []
    if (name === leaderEpochCheckpointFileName) {
      return [{ name, bytes: epochsBefore(end, bytes, `${directory}/${name}`) }]
    }
    if (name === partitionMetadataFileName && topicId !== null && topicId !== stored.topicId) {
      return [{ name, bytes: encodePartitionMetadata(topicId) }]
    }
    return [{ name, bytes }]
  })
}

function epochsBefore(end: Offset, bytes: Buffer, path: string): Buffer {
  const epochs = LeaderEpochCache.decode(bytes, path)
  epochs.truncateFromEnd(end)
  return epochs.encode()
}
