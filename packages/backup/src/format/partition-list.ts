import type { Offset, Timestamp } from '@varve/record'
import { JsonShape } from './json-shape.ts'
import { objectIdBytes } from './object-id.ts'

/** A stretch of a segment's `.log`: the content of one object. */
export interface StoredExtent {
  readonly id: Buffer
  readonly sizeBytes: number
}

/** Bytes in a segment that are not what was once written. Kept as they were found. */
export interface SegmentDamage {
  /** Of the first bad byte that was found, in the `.log`. */
  readonly position: number
  readonly reason: string
}

/** A segment as a backup has it. */
export interface StoredSegment {
  readonly baseOffset: Offset
  /** One more than its last offset. */
  readonly nextOffset: Offset
  /** Of its `.log`, as far as the backup goes. */
  readonly sizeBytes: number
  /** Of its records; -1 where there are none. */
  readonly maxTimestamp: Timestamp
  /** A segment that is not sealed goes on in the source. */
  readonly isSealed: boolean
  /** Tells at the source whether it is still the same file. */
  readonly fileId: number
  readonly modifiedMs: number
  /** Where its objects lie: an index into the manifest's `sets`. */
  readonly set: number
  /** Its bytes, in order. */
  readonly extents: readonly StoredExtent[]
  readonly damage: SegmentDamage | null
}

/** A small file of a partition, or of the data directory, whole. */
export interface StoredFileContent {
  readonly name: string
  readonly bytes: Buffer
}

/** What a backup has of one partition. An object of its own, shared by backups while it is same. */
export interface PartitionList {
  readonly topic: string
  readonly partition: number
  readonly segments: readonly StoredSegment[]
  /** Topic id, leader epochs, producers. Indexes are made anew. */
  readonly files: readonly StoredFileContent[]
}

export function encodePartitionList(list: PartitionList): Buffer {
  const text = {
    format: 1,
    topic: list.topic,
    partition: list.partition,
    segments: list.segments.map(({ extents, ...segment }) => ({
      ...segment,
      extents: extents.map(({ id, sizeBytes }) => [id.toString('hex'), sizeBytes]),
    })),
    files: encodeFiles(list.files),
  }
  return Buffer.from(JSON.stringify(text))
}

/** Throws CorruptRepositoryError. */
export function decodePartitionList(bytes: Buffer, key: string): PartitionList {
  const shape = JsonShape.parse(bytes, key)
  shape.get('format').version(1)
  return {
    topic: shape.get('topic').text(topicPattern),
    partition: shape.get('partition').count(2 ** 31 - 1),
    segments: shape.get('segments').list(segmentOf),
    files: shape.get('files').list(fileOf),
  }
}

export function encodeFiles(files: readonly StoredFileContent[]): readonly object[] {
  return files.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }))
}

export function fileOf(shape: JsonShape): StoredFileContent {
  return { name: shape.get('name').text(fileNamePattern), bytes: shape.get('base64').base64() }
}

/** Kafka's rule for names. What a manifest names becomes a path when it is restored. */
export const topicPattern: RegExp = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/
const fileNamePattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/

/**
 * What Kafka keeps beside the log of its own metadata: votes, and the state of which the log's
 * beginning may be gone.
 */
export const metadataLogFilePattern: RegExp = /^(?:quorum-state|\d{20}-\d{10}\.checkpoint)$/

function segmentOf(shape: JsonShape): StoredSegment {
  const sizeBytes = shape.get('sizeBytes').count()
  const extents = shape.get('extents').list(extentOf)
  // What is restored by it has the size that it says.
  if (extents.reduce((sum, extent) => sum + extent.sizeBytes, 0) !== sizeBytes) {
    shape.get('sizeBytes').fail('the sum of its extents')
  }
  return {
    baseOffset: shape.get('baseOffset').count(),
    nextOffset: shape.get('nextOffset').count(),
    sizeBytes,
    maxTimestamp: shape.get('maxTimestamp').integer(),
    isSealed: shape.get('isSealed').boolean(),
    fileId: shape.get('fileId').number(),
    modifiedMs: shape.get('modifiedMs').number(),
    set: shape.get('set').count(),
    extents,
    damage: shape.get('damage').optional((damage) => ({
      position: damage.get('position').count(),
      reason: damage.get('reason').text(),
    })),
  }
}

function extentOf(shape: JsonShape): StoredExtent {
  const [id, size] = shape.list((item) => item)
  // Missing ones fail as what they are not.
  return {
    id: (id ?? shape.get('id')).hex(objectIdBytes),
    sizeBytes: (size ?? shape.get('sizeBytes')).count(),
  }
}
