import { isSystemError } from '@varve/log/files'
import type { BackupGap, StoredPartition } from '../format/manifest.ts'
import type { PartitionList, StoredSegment } from '../format/partition-list.ts'
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
    for (const { topic, partition, reason } of snapshot.missing) {
      this.#gaps.push({ topic, partition, from: 0, to: 0, reason })
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
    try {
      const taken = await this.#takenOver(segment, before, repository.file.objectBytes)
      const copied = await copySegment(this.#context, segment, taken)
      this.#stored.set(segment, this.#withoutDamage(partition, copied, before))
    } catch (error) {
      if (!isSystemError(error, ...unreadableCodes)) throw error
      this.#unreadable(partition, segment, before, error as Error)
    }
  }

  /** Of a segment that has grown since, what was stored, if that has not changed. */
  async #takenOver(
    segment: SegmentSnapshot,
    before: StoredSegment | null,
    objectBytes: number,
  ): Promise<TakenOver> {
    const nothing = { extents: [], maxTimestamp: -1 }
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
    if (before?.isSealed === true && before.damage === null && before.nextOffset === to) {
      this.#findings.push({ ...gap, reason: `kept as it was stored; ${error.message}` })
      this.#stored.set(segment, before)
      return
    }
    this.#gaps.push(gap)
  }

  /** Damage in the source does not take the place of what was good when it was stored. */
  #withoutDamage(
    { topic, partition }: PartitionSnapshot,
    copied: StoredSegment,
    before: StoredSegment | null,
  ): StoredSegment {
    if (copied.damage === null) return copied
    const { baseOffset: from, nextOffset: to, damage } = copied
    const reason = `at position ${damage.position} of the segment: ${damage.reason}`
    const isKept =
      before?.isSealed && before.damage === null && before.nextOffset === copied.nextOffset
    if (isKept) {
      this.#findings.push({
        topic,
        partition,
        from,
        to,
        reason: `kept as it was stored; ${reason}`,
      })
      return before
    }
    this.#gaps.push({ topic, partition, from, to, reason })
    return copied
  }

  #listOf({ topic, partition, segments, files }: PartitionSnapshot): PartitionList {
    const stored = segments.flatMap((segment) => this.#stored.get(segment) ?? [])
    return { topic, partition, segments: stored, files }
  }

  async #storeList(partition: PartitionSnapshot, list: PartitionList): Promise<StoredPartition> {
    const { catalogue, known, set, setIndex } = this.#context
    const { id, storedBytes } = await catalogue.putPartitionList(set, list, (key) =>
      known.modeFor(key),
    )
    const newObjects = storedBytes > 0 ? 1 : 0
    this.#context.advanced({ readBytes: 0, recordBatches: 0, newObjects, newBytes: storedBytes })
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
      set: setIndex,
    }
  }
}
