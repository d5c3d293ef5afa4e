import {
  encodePartitionMetadata,
  LeaderEpochCache,
  leaderEpochCheckpointFileName,
  parseSegmentFileName,
  partitionMetadataFileName,
} from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { StoredPartition } from '../format/manifest.ts'
import type { PartitionList, StoredFileContent } from '../format/partition-list.ts'

/** A partition as it is to be. */
interface NewPartition {
  readonly stored: StoredPartition
  readonly list: PartitionList
  readonly topicId: string | null
  readonly end: Offset
}

/** The small files as they belong to the partition with its new end and name. */
export function partitionFilesAt(
  { list, end, topicId, stored }: NewPartition,
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
