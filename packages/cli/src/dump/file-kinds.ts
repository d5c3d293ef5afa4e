import {
  cleanerOffsetCheckpointFileName,
  cleanShutdownFileName,
  leaderEpochCheckpointFileName,
  logStartOffsetCheckpointFileName,
  metaPropertiesFileName,
  partitionMetadataFileName,
  progressFileName,
  recoveryPointCheckpointFileName,
  replicationOffsetCheckpointFileName,
  type SegmentFileKind,
} from '@varve/log/files'
import type { SmallFileKind } from './dump-small.ts'

/** What a file is, by its name. */
export interface FileKind {
  readonly kind: SegmentFileKind | SmallFileKind
  /** Of a segment's file, what its name says; 0 where it does not say. */
  readonly baseOffset: number
}

/**
 * A segment's file in any state: the kind stands before the suffixes, of which a file can have
 * several (`.log.4096.broken`, `.index.swap`, `.txnindex.deleted`).
 */
const segmentPattern =
  /^(.*)\.(log|index|timeindex|txnindex|snapshot|digest)((?:\.\d+)?(?:\.(?:deleted|cleaned|swap|broken))*)$/
const baseOffsetPattern = /^\d{1,20}$/

const kindsByName: ReadonlyMap<string, SmallFileKind> = new Map([
  [leaderEpochCheckpointFileName, 'leaderEpochs'],
  [partitionMetadataFileName, 'metadata'],
  [progressFileName, 'progress'],
  [recoveryPointCheckpointFileName, 'offsets'],
  [logStartOffsetCheckpointFileName, 'offsets'],
  [replicationOffsetCheckpointFileName, 'offsets'],
  [cleanerOffsetCheckpointFileName, 'offsets'],
  [cleanShutdownFileName, 'text'],
  [metaPropertiesFileName, 'text'],
])

/** Null for a name that no file of a data directory has. */
export function fileKindOf(name: string): FileKind | null {
  const small = kindsByName.get(name)
  if (small !== undefined) return { kind: small, baseOffset: 0 }
  const match = segmentPattern.exec(name)
  if (match === null) return null
  const stem = match[1] ?? ''
  const baseOffset = baseOffsetPattern.test(stem) ? Number(stem) : 0
  return {
    kind: match[2] as SegmentFileKind,
    baseOffset: Number.isSafeInteger(baseOffset) ? baseOffset : 0,
  }
}
