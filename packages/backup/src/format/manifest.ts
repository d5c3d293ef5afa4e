import type { Offset } from '@varve/record'
import { JsonShape } from './json-shape.ts'
import { objectIdBytes } from './object-id.ts'
import { encodeFiles, fileOf, type StoredFileContent, topicPattern } from './partition-list.ts'

export const backupKinds = ['full', 'incremental', 'differential', 'follow'] as const

/**
 * - `full`: every byte of the source was read and checked. So is the first one of any kind.
 * - `incremental`: what the latest backup has was taken over from it.
 * - `differential`: what the last full one has was taken over from it, and nothing else.
 * - `follow`: an incremental one of those that come every second.
 */
export type BackupKind = (typeof backupKinds)[number]

/** Offsets of the source that the backup should have and has not. */
export interface BackupGap {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly to: Offset
  readonly reason: string
}

export interface StoredPartition {
  readonly topic: string
  readonly partition: number
  /** Kafka's topic id: tells apart topics that had the same name. Null before Kafka 2.8. */
  readonly topicId: string | null
  readonly logStartOffset: Offset
  /** One more than the last offset that the backup has. */
  readonly endOffset: Offset
  /** Sum of its segments. */
  readonly sizeBytes: number
  readonly segmentCount: number
  /** The object that holds its PartitionList. */
  readonly list: Buffer
  /** Where that lies: an index into the manifest's `sets`. */
  readonly set: number
}

/** What was moved to make a backup. */
export interface BackupFigures {
  /** Bytes of the source that were read. */
  readonly readBytes: number
  /** Objects and their bytes, as they are stored, that were new. */
  readonly newObjects: number
  readonly newBytes: number
  /** Bytes of segments that the backup has. */
  readonly totalBytes: number
  readonly recordBatches: number
  readonly durationMs: number
}

/**
 * Everything about one backup. It lists all that is needed to restore it: no other backup need be
 * there. Written last, and never changed.
 */
export interface Manifest {
  readonly backupId: string
  readonly kind: BackupKind
  /** The backup from which was taken over what had not changed; null for none. */
  readonly base: string | null
  /** Counts the backups of the source, from 1 on. */
  readonly sequence: number
  /** SHA-256 of the file of the manifest before it; null for the first. */
  readonly previous: Buffer | null
  /** The name under which its owner keeps the source. */
  readonly source: string
  readonly startedMs: number
  /** When the source was as the backup has it. */
  readonly takenMs: number
  readonly finishedMs: number
  /** A named point, to be found again. */
  readonly point: string | null
  readonly tags: readonly string[]
  /** Where objects lie: `main`, which all backups share, or a set of the backup's own. */
  readonly sets: readonly string[]
  /** Files of the data directory itself: topics and their settings, the cluster's id. */
  readonly files: readonly StoredFileContent[]
  readonly partitions: readonly StoredPartition[]
  readonly gaps: readonly BackupGap[]
  readonly figures: BackupFigures
}

export function encodeManifest(manifest: Manifest): Buffer {
  const { partitions, previous, files, ...rest } = manifest
  const text = {
    format: 1,
    ...rest,
    previous: previous?.toString('hex') ?? null,
    files: encodeFiles(files),
    partitions: partitions.map((stored) => ({ ...stored, list: stored.list.toString('hex') })),
  }
  return Buffer.from(JSON.stringify(text))
}

/** Throws CorruptRepositoryError. */
export function decodeManifest(bytes: Buffer, key: string): Manifest {
  const shape = JsonShape.parse(bytes, key)
  shape.get('format').version(1)
  const sets = shape.get('sets').list((set) => set.text(setPattern))
  return {
    backupId: shape.get('backupId').text(backupIdPattern),
    kind: shape.get('kind').oneOf(backupKinds),
    base: shape.get('base').optional((base) => base.text(backupIdPattern)),
    sequence: shape.get('sequence').count(),
    previous: shape.get('previous').optional((hash) => hash.hex(32)),
    source: shape.get('source').text(),
    startedMs: shape.get('startedMs').number(),
    takenMs: shape.get('takenMs').number(),
    finishedMs: shape.get('finishedMs').number(),
    point: shape.get('point').optional((point) => point.text()),
    tags: shape.get('tags').list((tag) => tag.text()),
    sets,
    files: shape.get('files').list(fileOf),
    partitions: shape.get('partitions').list((stored) => partitionOf(stored, sets.length)),
    gaps: shape.get('gaps').list(gapOf),
    figures: figuresOf(shape.get('figures')),
  }
}

/** Time in UTC to the millisecond, then eight random hex digits: sorts as time does. */
export const backupIdPattern: RegExp = /^\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}$/

/** When a backup was begun, in ms since the epoch, as its id says. */
export function backupIdTime(backupId: string): number {
  const text = backupId.replace(
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z-.*$/,
    '$1-$2-$3T$4:$5:$6Z',
  )
  return Date.parse(text)
}

export const setPattern: RegExp = /^(?:main|\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8})$/

function partitionOf(shape: JsonShape, sets: number): StoredPartition {
  return {
    topic: shape.get('topic').text(topicPattern),
    partition: shape.get('partition').count(2 ** 31 - 1),
    topicId: shape.get('topicId').optional((id) => id.text(/^[A-Za-z0-9_-]{22}$/)),
    logStartOffset: shape.get('logStartOffset').count(),
    endOffset: shape.get('endOffset').count(),
    sizeBytes: shape.get('sizeBytes').count(),
    segmentCount: shape.get('segmentCount').count(),
    list: shape.get('list').hex(objectIdBytes),
    set: shape.get('set').count(sets - 1),
  }
}

function gapOf(shape: JsonShape): BackupGap {
  return {
    topic: shape.get('topic').text(topicPattern),
    partition: shape.get('partition').count(2 ** 31 - 1),
    from: shape.get('from').count(),
    to: shape.get('to').count(),
    reason: shape.get('reason').text(),
  }
}

function figuresOf(shape: JsonShape): BackupFigures {
  return {
    readBytes: shape.get('readBytes').count(),
    newObjects: shape.get('newObjects').count(),
    newBytes: shape.get('newBytes').count(),
    totalBytes: shape.get('totalBytes').count(),
    recordBatches: shape.get('recordBatches').count(),
    durationMs: shape.get('durationMs').number(),
  }
}
