import {
  leaderEpochCheckpointFileName,
  parseSegmentFileName,
  partitionMetadataFileName,
} from '@varve/log/files'
import type { Offset } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import type { BackupGap, Manifest, StoredPartition } from '../format/manifest.ts'
import {
  metadataLogFilePattern,
  type PartitionList,
  type StoredSegment,
} from '../format/partition-list.ts'

/**
 * Checks that what a backup lists of a partition goes together and is what the manifest says of it:
 * every offset is in one segment, or recorded as a gap; every file is one that partitions have.
 * Throws CorruptRepositoryError.
 */
export function checkPartitionList(
  { gaps, sets }: Pick<Manifest, 'gaps' | 'sets'>,
  stored: StoredPartition,
  { segments, files }: PartitionList,
): void {
  const fail = (reason: string): never => {
    throw new CorruptRepositoryError(`the list of ${stored.topic}-${stored.partition}`, reason)
  }
  const { logStartOffset, endOffset } = stored
  if (logStartOffset > endOffset) fail(`it begins at ${logStartOffset} and ends at ${endOffset}`)
  const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  if (sizeBytes !== stored.sizeBytes || segments.length !== stored.segmentCount) {
    fail('it has other segments than the manifest says')
  }
  const own = gaps.filter(
    ({ topic, partition }) => topic === stored.topic && partition === stored.partition,
  )
  let next = segments[0]?.baseOffset ?? logStartOffset
  if (next > logStartOffset) requireGap(own, logStartOffset, next, fail)
  for (const segment of segments) {
    checkSegment(segment, sets.length, fail)
    if (segment.baseOffset < next) fail(`segment ${segment.baseOffset} begins before ${next}`)
    if (segment.baseOffset > next) requireGap(own, next, segment.baseOffset, fail)
    next = segment.nextOffset
  }
  if (next > endOffset) fail(`it ends at ${endOffset}, its last segment at ${next}`)
  if (next < endOffset) requireGap(own, Math.max(next, logStartOffset), endOffset, fail)
  const names = new Set(files.map(({ name }) => name))
  if (names.size < files.length) fail('it has a file twice')
  for (const name of names) if (!isPartitionFile(name)) fail(`${name} is not a partition's file`)
}

function checkSegment(segment: StoredSegment, sets: number, fail: (reason: string) => never): void {
  const { baseOffset, nextOffset, sizeBytes, extents, set } = segment
  const place = `segment ${baseOffset}`
  if (nextOffset < baseOffset) fail(`${place} ends at ${nextOffset}`)
  if (set >= sets) fail(`${place} is in a set that there is not`)
  if (extents.some((extent) => extent.sizeBytes === 0)) fail(`${place} has an empty extent`)
  const sum = extents.reduce((bytes, extent) => bytes + extent.sizeBytes, 0)
  if (sum !== sizeBytes) fail(`${place} has ${sum} bytes, not ${sizeBytes}`)
}

/** Offsets that are in no segment are recorded as missing. */
function requireGap(
  gaps: readonly BackupGap[],
  from: Offset,
  to: Offset,
  fail: (reason: string) => never,
): void {
  let next = from
  while (next < to) {
    const gap = gaps.find((other) => other.from <= next && next < other.to)
    next = gap?.to ?? fail(`offsets ${next} to ${to} are in none of its segments`)
  }
}

function isPartitionFile(name: string): boolean {
  const parsed = parseSegmentFileName(name)
  if (parsed !== null) return parsed.kind === 'snapshot' && parsed.suffix === ''
  const others = [partitionMetadataFileName, leaderEpochCheckpointFileName]
  return others.includes(name) || metadataLogFilePattern.test(name)
}
