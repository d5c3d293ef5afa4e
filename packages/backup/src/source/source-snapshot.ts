import type { Offset } from '@varve/record'
import type { StoredFileContent } from '../format/partition-list.ts'

/** A segment of the source, its bytes held still. */
export interface SegmentSnapshot {
  readonly baseOffset: Offset
  /** One more than its last offset; of the last segment, where the snapshot ends. */
  readonly nextOffset: Offset
  /** How much of the file at `path` belongs to the snapshot. */
  readonly sizeBytes: number
  /** Of its `.log`, or of the name that holds it still. */
  readonly path: string
  /** Of the `.log` in the source, where something else may be by now. */
  readonly sourcePath: string
  readonly isSealed: boolean
  readonly fileId: number
  readonly modifiedMs: number
}

/** A partition of the source at one moment. */
export interface PartitionSnapshot {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | null
  readonly logStartOffset: Offset
  readonly endOffset: Offset
  readonly segments: readonly SegmentSnapshot[]
  /** Topic id, leader epochs, producers: what cannot be made anew from the segments. */
  readonly files: readonly StoredFileContent[]
}

/** A partition that the snapshot has not, or not to its end, and why. */
export interface MissingPartition {
  readonly topic: string
  readonly partition: number
  /** The offsets that are missing; absent for all. */
  readonly offsets?: { readonly from: Offset; readonly to: Offset }
  readonly reason: string
}

/**
 * A data directory at one moment: no committed offset beyond the end of its partition, no
 * transaction decided in one partition and not in another, no segment from before a compaction
 * beside one from after it. Its files stay until it is released.
 */
export interface SourceSnapshot extends AsyncDisposable {
  readonly takenMs: number
  readonly partitions: readonly PartitionSnapshot[]
  readonly missing: readonly MissingPartition[]
  /** Of the data directory itself. */
  readonly files: readonly StoredFileContent[]
  release(): Promise<void>
}

/** What tells a segment's file apart from every other that was or will be at its place. */
export type SegmentIdentity = Pick<
  SegmentSnapshot,
  'baseOffset' | 'sizeBytes' | 'isSealed' | 'fileId' | 'modifiedMs'
>

export interface SnapshotOptions {
  /**
   * Segments that need not stay, because they will not be read: they have been stored.
   * @defaultValue none
   */
  readonly isStored?: (segment: SegmentIdentity) => boolean
}

/** What can be backed up. */
export interface BackupSource {
  /** For people: a path. */
  readonly name: string
  /** Rejects with SnapshotUnstableError, StorageError. */
  snapshot(options?: SnapshotOptions): Promise<SourceSnapshot>
  /** Is another one when there may be something that the last snapshot did not have. Cheap. */
  fingerprint(): string
}
