import { strict as assert } from 'node:assert'
import { type Batch, type Offset, VarveError } from '@varve/record'
import { CorruptLogError } from '../base/log-errors.ts'
import { type LogOptions, type ResolvedLogOptions, resolveLogOptions } from '../base/log-options.ts'
import { type EpochEntry, LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import { encodeSegmentDigest } from '../format/segment-digest.ts'
import { loadNewestSnapshot } from '../producers/producer-loading.ts'
import { ProducerStateManager } from '../producers/producer-state.ts'
import { ActiveSegment } from '../segments/active-segment.ts'
import { noteEpoch } from '../segments/leader-epoch-search.ts'
import { checkPlace, type RebuiltState, rebuildFrom } from '../segments/segment-recovery.ts'
import {
  activeDigestFileName,
  indexFileName,
  leaderEpochCheckpointFileName,
  producerSnapshotFileName,
  segmentDigestFileName,
  timeIndexFileName,
  transactionIndexFileName,
} from '../storage/file-names.ts'
import type { FileSystem } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'

export interface LogIndexingOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** How indexes are to be. @defaultValue the defaults of a log */
  readonly log?: LogOptions
}

/** A file of a log's directory that is made from its batches. */
export interface DerivedFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Makes the derived files of a log from its batches while these are brought, segment by segment and
 * in order: what `reindexLog` would make of them, which reads them for it. Writes nothing. Producer
 * snapshots that are in the log's directory are believed, as there; a log start in a checkpoint is
 * not looked for, so that leader epochs begin with the first batch.
 */
export class LogIndexing {
  readonly #directory: string
  readonly #name: string
  readonly #fs: FileSystem
  readonly #options: ResolvedLogOptions
  readonly #epochs: EpochEntry[] = []
  #producers: ProducerStateManager | null = null
  #open: { readonly segment: ActiveSegment; readonly state: RebuiltState } | null = null

  constructor(directory: string, { fs = nodeFileSystem, log = {} }: LogIndexingOptions = {}) {
    this.#directory = directory
    this.#name = directory.slice(directory.lastIndexOf('/') + 1)
    this.#fs = fs
    this.#options = resolveLogOptions(log)
  }

  /** The batches that follow are a segment's. The one before must have been ended. */
  begin(baseOffset: Offset): void {
    assert(this.#open === null, 'one segment after the other')
    const producers = this.#producersAt(baseOffset)
    this.#producers = producers
    const start = { createdMs: 0, jitter: 0 }
    const segment = new ActiveSegment(this.#directory, baseOffset, this.#options, start)
    const state = { name: this.#name, producers, epochs: new LeaderEpochCache() }
    this.#open = { segment, state }
  }

  /** A snapshot of just here knows what the log has lost since. */
  #producersAt(baseOffset: Offset): ProducerStateManager {
    const context = { fs: this.#fs, directory: this.#directory, name: this.#name }
    const producers = new ProducerStateManager()
    const { start } = loadNewestSnapshot(context, producers, baseOffset)
    const isOfHere = start === baseOffset && start > 0
    return isOfHere || this.#producers === null ? producers : this.#producers
  }

  /** The next batch, which was validated. Throws CorruptLogError for one that is out of place. */
  add(batch: Batch): void {
    const { segment, state } = this.#present()
    try {
      checkPlace(batch, segment)
      rebuildFrom(batch, segment, state)
      if (batch.leaderEpoch >= 0) noteEpoch(this.#epochs, batch.leaderEpoch, batch.baseOffset)
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      throw new CorruptLogError({
        path: segment.path,
        position: segment.sizeBytes,
        firstOffset: segment.nextOffset,
        lastOffset: null,
        reason: error.message,
      })
    }
  }

  /** The indexes and the digest of the segment. `isLast`: it is appended to next. */
  end(isLast: boolean): readonly DerivedFile[] {
    const { segment } = this.#present()
    this.#open = null
    const { baseOffset, offsetIndex, timeIndex, transactionIndex } = segment
    segment.completeTimeIndex()
    const digestName = isLast ? activeDigestFileName(baseOffset) : segmentDigestFileName(baseOffset)
    const files = [
      { name: indexFileName(baseOffset), bytes: offsetIndex.bytes() },
      { name: timeIndexFileName(baseOffset), bytes: timeIndex.bytes() },
      { name: digestName, bytes: encodeSegmentDigest(segment.digest()) },
    ]
    if (transactionIndex.count === 0) return files
    const bytes = transactionIndex.encode()
    return [...files, { name: transactionIndexFileName(baseOffset), bytes }]
  }

  /** The producers and leader epochs of the log, whose segments are ended. */
  finish(): readonly DerivedFile[] {
    assert(this.#open === null, 'the last segment is ended')
    const producers = this.#producers
    if (producers === null) return []
    const name = producerSnapshotFileName(producers.endOffset)
    const snapshot = { name, bytes: producers.encodeSnapshot() }
    const epochs = new LeaderEpochCache(this.#epochs)
    if (epochs.isEmpty) return [snapshot]
    return [snapshot, { name: leaderEpochCheckpointFileName, bytes: epochs.encode() }]
  }

  #present(): { readonly segment: ActiveSegment; readonly state: RebuiltState } {
    assert(this.#open !== null, 'a segment was begun')
    return this.#open
  }
}
