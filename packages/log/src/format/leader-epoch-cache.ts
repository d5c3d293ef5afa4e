import { strict as assert } from 'node:assert'
import type { Batch, Offset } from '@varve/record'
import {
  CorruptCheckpointError,
  checkpointNumber,
  decodeCheckpoint,
  encodeCheckpoint,
} from './checkpoint-text.ts'

export interface EpochEntry {
  readonly epoch: number
  /** Offset of the first record of that epoch that the log has. */
  readonly startOffset: Offset
}

export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: Offset
}

const epochMax = 2 ** 31 - 1

/**
 * Which leader epoch began at which offset, in memory (Kafka's LeaderEpochFileCache). Both columns
 * increase strictly. Whoever changes it writes the checkpoint file, when a method says that there
 * was a change.
 */
export class LeaderEpochCache {
  readonly #entries: EpochEntry[] = []

  constructor(entries: Iterable<EpochEntry> = []) {
    for (const entry of entries) this.assign(entry.epoch, entry.startOffset)
  }

  /**
   * Says that an epoch begins at an offset. The latest epoch keeps an earlier start; every other
   * entry that does not fit in order with the new one gives way. Tells whether anything changed.
   */
  assign(epoch: number, startOffset: Offset): boolean {
    assert(epoch >= 0 && epoch <= epochMax, 'a leader epoch is a non-negative int32')
    assert(startOffset >= 0, 'an epoch starts at an offset')
    const latest = this.#entries.at(-1)
    if (latest !== undefined && latest.epoch === epoch && latest.startOffset <= startOffset) {
      return false
    }
    const kept = this.#entries.findLastIndex(
      (entry) => entry.epoch < epoch && entry.startOffset < startOffset,
    )
    this.#entries.splice(kept + 1, Number.POSITIVE_INFINITY, { epoch, startOffset })
    return true
  }

  /** Drops epochs that start at `endOffset` or later. Tells whether anything changed. */
  truncateFromEnd(endOffset: Offset): boolean {
    const kept = this.#entries.findLastIndex((entry) => entry.startOffset < endOffset)
    return this.#entries.splice(kept + 1).length > 0
  }

  /**
   * Drops epochs that end at `startOffset` or before it; the one in which it lies starts there from
   * now on. Tells whether anything changed.
   */
  truncateFromStart(startOffset: Offset): boolean {
    const current = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    const entry = this.#entries[current]
    if (entry === undefined) return false
    if (current === 0 && entry.startOffset === startOffset) return false
    this.#entries.splice(0, current + 1, { epoch: entry.epoch, startOffset })
    return true
  }

  clear(): void {
    this.#entries.length = 0
  }

  /** The newest epoch that has records, null when none is known. */
  get latestEpoch(): number | null {
    return this.#entries.at(-1)?.epoch ?? null
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** A copy, oldest first. */
  entries(): readonly EpochEntry[] {
    return [...this.#entries]
  }

  /** The epoch in which the record at an offset was appended; null before the first known epoch. */
  epochAt(offset: Offset): number | null {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? null
  }

  /**
   * Where an epoch ended: the start of the next one, the log's end for the latest. For an epoch
   * that has no records the answer is for the last one before it; null when the epoch is newer than
   * any that is known. When all known ones are newer, it ended where the first of them starts.
   */
  endOffsetFor(epoch: number, logEndOffset: Offset): EpochEnd | null {
    if (epoch < 0) return null
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch)
    const nextEntry = this.#entries[next]
    if (nextEntry === undefined) return null
    return { epoch: this.#entries[next - 1]?.epoch ?? epoch, endOffset: nextEntry.startOffset }
  }

  /**
   * As `endOffsetFor`, in the epoch `current`, which may have no records yet: then it begins at the
   * log's end.
   */
  endOffsetUnder(current: number, epoch: number, logEndOffset: Offset): EpochEnd | null {
    if (epoch === current) return { epoch, endOffset: logEndOffset }
    const latest = this.latestEpoch ?? -1
    if (epoch < latest || epoch > current || epoch < 0) {
      return this.endOffsetFor(epoch, logEndOffset)
    }
    return { epoch: latest < 0 ? epoch : latest, endOffset: logEndOffset }
  }

  /** The content of a `leader-epoch-checkpoint` file: `epoch startOffset` a line. */
  encode(): Buffer {
    return encodeCheckpoint(this.#entries.map((entry) => `${entry.epoch} ${entry.startOffset}`))
  }

  /** Reads a `leader-epoch-checkpoint` file. Throws CorruptCheckpointError. */
  static decode(bytes: Buffer, path: string): LeaderEpochCache {
    const cache = new LeaderEpochCache()
    for (const line of decodeCheckpoint(bytes, path, 2)) {
      const epoch = checkpointNumber(line, 0, path, epochMax)
      const startOffset = checkpointNumber(line, 1, path)
      const latest = cache.#entries.at(-1)
      if (latest && (epoch <= latest.epoch || startOffset <= latest.startOffset)) {
        throw new CorruptCheckpointError(path, line.number, 'epochs and their starts must increase')
      }
      cache.#entries.push({ epoch, startOffset })
    }
    return cache
  }
}

/**
 * Whether a batch carries the epoch in which it was appended: KRaft's own control batches need not
 * carry the one that they announce.
 */
export function hasOwnEpoch(batch: Batch): boolean {
  return batch.leaderEpoch !== -1 && (!batch.isControl || batch.isTransactional)
}
