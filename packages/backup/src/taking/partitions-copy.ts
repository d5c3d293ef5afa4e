import { isSystemError } from '@varve/log/files'
import type { BackupGap, StoredPartition } from '../format/manifest.ts'
import {
  encodePartitionList,
  type PartitionList,
  type StoredSegment,
} from '../format/partition-list.ts'
import type { BackupCatalogue } from '../repository/backup-catalogue.ts'
import type {
  PartitionSnapshot,
  SegmentSnapshot,
  SourceSnapshot,
} from '../source/source-snapshot.ts'
import { type Baseline, grownFrom, isUnchanged } from './baseline.ts'
import { type CopyContext, copySegment, isExtentSame, type TakenOver } from './segment-copy.ts'

export interface PartitionsCopyContext extends CopyContext {
  readonly catalogue: BackupCatalogue
  readonly base: Baseline | null
  /** Where a good copy is looked for of what is damaged now: what was stored last. */
  readonly good: Baseline | null
  /** Of the manifest. */
  readonly sets: readonly string[]
  /** Segments that are copied at the same time. */
  readonly lanes: number
  /** Bytes that needed no reading. */
  readonly takenOver: (bytes: number) => void
}

export interface CopiedPartitions {
  readonly partitions: readonly StoredPartition[]
  readonly lists: readonly PartitionList[]
  readonly gaps: readonly BackupGap[]
  readonly findings: readonly BackupGap[]
}

/** The source is at fault: it goes on without that segment. */
const unreadableCodes = ['ENOENT', 'ESTALE', 'EIO', 'EACCES', 'EPERM']

interface Job {
  readonly partition: PartitionSnapshot
  readonly segment: SegmentSnapshot
}

/** Copies the segments of a snapshot, several at a time, each from its beginning to its end. */
export class PartitionsCopy {
  readonly #context: PartitionsCopyContext
  readonly #stored = new Map<SegmentSnapshot, StoredSegment>()
  readonly #gaps: BackupGap[] = []
  readonly #findings: BackupGap[] = []

  constructor(context: PartitionsCopyContext) {
    this.#context = context
  }

  async run(snapshot: SourceSnapshot): Promise<CopiedPartitions> {
    const jobs = snapshot.partitions.flatMap((partition) =>
      partition.segments.map((segment): Job => ({ partition, segment })),
    )
    const waiting = jobs.toReversed()
    let hasFailed = false
    const lane = async (): Promise<void> => {
      for (let job = waiting.pop(); job !== undefined && !hasFailed; job = waiting.pop()) {
        try {
          await this.#copy(job)
        } catch (error) {
          hasFailed = true
          throw error
        }
      }
    }
    const results = await Promise.allSettled(Array.from({ length: this.#context.lanes }, lane))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    for (const { topic, partition, offsets, reason } of snapshot.missing) {
      const { from, to } = offsets ?? { from: 0, to: 0 }
      this.#gaps.push({ topic, partition, from, to, reason })
    }
    const lists: PartitionList[] = []
    const partitions: StoredPartition[] = []
    for (const partition of snapshot.partitions) {
      const list = this.#listOf(partition)
      lists.push(list)
      partitions.push(await this.#storeList(partition, list))
    }
    return { partitions, lists, gaps: this.#gaps, findings: this.#findings }
  }

  async #copy({ partition, segment }: Job): Promise<void> {
    const { base, repository } = this.#context
    const before = base?.find(partition, segment) ?? null
    if (before !== null && isUnchanged(before, segment)) {
      this.#stored.set(segment, before)
      this.#context.takenOver(before.sizeBytes)
      return
    }
    const good = this.#context.good?.find(partition, segment) ?? null
    try {
      const taken = await this.#takenOver(segment, before, repository.file.objectBytes)
      const copied = await copySegment(this.#context, segment, taken)
      this.#stored.set(segment, this.#withoutDamage(partition, segment, copied, good))
    } catch (error) {
      if (!isSystemError(error, ...unreadableCodes)) throw error
      this.#unreadable(partition, segment, good, error as Error)
    }
  }

  /** Of a segment that has grown since, what was stored, if that has not changed. */
  async #takenOver(
    segment: SegmentSnapshot,
    before: StoredSegment | null,
    objectBytes: number,
  ): Promise<TakenOver> {
    const nothing = { extents: [], maxTimestamp: -1, nextOffset: segment.baseOffset }
    // A segment says of all of its extents in which set they are.
    if (before === null || before.set !== this.#context.setIndex) return nothing
    const grown = grownFrom(before, segment, objectBytes)
    if (grown === null) return nothing
    const isSame = await isExtentSame(this.#context, segment, before, grown.checked)
    if (!isSame) return nothing
    const bytes = grown.taken.extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.#context.takenOver(bytes)
    return grown.taken
  }

  #unreadable(
    { topic, partition }: PartitionSnapshot,
    segment: SegmentSnapshot,
    before: StoredSegment | null,
    error: Error,
  ): void {
    const { baseOffset: from, nextOffset: to } = segment
    const gap = { topic, partition, from, to, reason: error.message }
    const good = this.#goodCopy(before, segment)
    if (good === null) {
      this.#gaps.push(gap)
      return
    }
    this.#findings.push({ ...gap, reason: `kept as it was stored; ${error.message}` })
    this.#stored.set(segment, good)
  }

  /** Damage in the source does not take the place of what was good when it was stored. */
  #withoutDamage(
    { topic, partition }: PartitionSnapshot,
    segment: SegmentSnapshot,
    copied: StoredSegment,
    before: StoredSegment | null,
  ): StoredSegment {
    if (copied.damage === null) return copied
    const { baseOffset: from, nextOffset: to, damage } = copied
    const reason = `at position ${damage.position} of the segment: ${damage.reason}`
    const gap = { topic, partition, from, to, reason }
    const good = this.#goodCopy(before, segment)
    if (good === null) {
      this.#gaps.push(gap)
      return copied
    }
    this.#findings.push({ ...gap, reason: `kept as it was stored; ${reason}` })
    return good
  }

  /**
   * What was stored of a segment that is damaged now. Not of one that was compacted since: beside
   * segments of today it would bring back what they say was deleted. Compaction that changes
   * anything makes segments smaller.
   */
  #goodCopy(before: StoredSegment | null, segment: SegmentSnapshot): StoredSegment | null {
    if (before === null || !before.isSealed || before.damage !== null) return null
    const isSame =
      before.nextOffset === segment.nextOffset && before.sizeBytes === segment.sizeBytes
    if (!isSame) return null
    const name = this.#context.good?.state.manifest.sets[before.set]
    const set = name === undefined ? -1 : this.#context.sets.indexOf(name)
    return set < 0 ? null : { ...before, set }
  }

  #listOf({ topic, partition, segments, files }: PartitionSnapshot): PartitionList {
    const stored = segments.flatMap((segment) => this.#stored.get(segment) ?? [])
    return { topic, partition, segments: stored, files }
  }

  async #storeList(partition: PartitionSnapshot, list: PartitionList): Promise<StoredPartition> {
    const { catalogue, known, set, setIndex } = this.#context
    const before = this.#context.base?.listOf(partition) ?? null
    if (
      before !== null &&
      this.#context.repository.keys.naming
        .idOf('partition', encodePartitionList(list))
        .equals(before.list)
    ) {
      return this.#storedPartition(partition, list, before.list, before.set)
    }
    const { id, storedBytes } = await catalogue.putPartitionList(set, list, (key) =>
      known.modeFor(key),
    )
    const newObjects = storedBytes > 0 ? 1 : 0
    this.#context.advanced({ readBytes: 0, recordBatches: 0, newObjects, newBytes: storedBytes })
    return this.#storedPartition(partition, list, id, setIndex)
  }

  #storedPartition(
    partition: PartitionSnapshot,
    list: PartitionList,
    id: Buffer,
    set: number,
  ): StoredPartition {
    const { topic, topicId, logStartOffset, endOffset } = partition
    return {
      topic,
      partition: partition.partition,
      topicId,
      logStartOffset,
      endOffset,
      sizeBytes: list.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      segmentCount: list.segments.length,
      list: id,
      set,
    }
  }
}
