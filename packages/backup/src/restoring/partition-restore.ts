import { type FileSystem, type LogOptions, reindexLog } from '@varve/log'
import { LogIndexing, parsePartitionDirectoryName, segmentFileName } from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { StoredPartition } from '../format/manifest.ts'
import type {
  PartitionList,
  StoredExtent,
  StoredFileContent,
  StoredSegment,
} from '../format/partition-list.ts'
import type { LentContent, ObjectReader } from '../reading/object-reader.ts'
import type { LocalCopies } from './local-copy.ts'
import { partitionFilesAt } from './partition-files.ts'
import { ReadAhead, ReadSlots } from './read-ahead.ts'
import {
  type BroughtSegment,
  indexSegment,
  type SegmentWriteContext,
  writeSegment,
} from './segment-writer.ts'
import { allDone, writeFiles } from './whole-files.ts'

/** A partition that is to be restored. */
export interface RestoredPartition {
  readonly stored: StoredPartition
  readonly list: PartitionList
  /** `<topic>-<partition>` as it is to be called. */
  readonly name: string
  /** Of its topic: under a new name it is another topic, with an id of its own. */
  readonly topicId: string | null
  /** It ends before this offset. */
  readonly end: Offset
}

/** A segment of it, to be written. */
export interface SegmentJob {
  readonly partition: RestoredPartition
  readonly segment: StoredSegment
  /** Whether its file may be one that another directory has too: nobody will write to it. */
  readonly isShareable: boolean
}

/** The segments that are wanted, in order. */
export function segmentJobs(partition: RestoredPartition): readonly SegmentJob[] {
  const { list, end, stored } = partition
  const wanted = list.segments.filter(
    ({ baseOffset, nextOffset }) => baseOffset < end && nextOffset > stored.logStartOffset,
  )
  return wanted.map((segment) => ({
    partition,
    segment,
    isShareable: segment.isSealed && segment.nextOffset <= end,
  }))
}

export interface PartitionRestoreContext extends Omit<SegmentWriteContext, 'read'> {
  readonly reader: ObjectReader
  /** Of the manifest. */
  readonly sets: readonly string[]
  /** The data directory that is put together. */
  readonly staging: string
  /** The one that it replaces; there may be none. */
  readonly replaced: string
  readonly local: LocalCopies
  /** Settings of the log of a partition: how its indexes are to be. */
  readonly logOptions: (topic: string, partition: number) => LogOptions
  /** Shared by all partitions. */
  readonly slots: ReadSlots
  /** Whether nothing more is to be begun. */
  readonly isStopped: () => boolean
}

/** Objects in a row of a segment that turned out not to be here. */
const slotsOfOne = 2
/** Segments that are looked for here before it is their turn. */
const searchedAhead = 2

/**
 * Brings a partition: its segments in order, what is derived from them while they come, all of it
 * durable. Segments are flushed while the next one is brought. Where it is stopped it is left as
 * it is.
 */
export async function restorePartition(
  context: PartitionRestoreContext,
  partition: RestoredPartition,
): Promise<void> {
  const { fs, staging, local, replaced, slots } = context
  const directory = `${staging}/${partition.name}`
  const jobs = segmentJobs(partition)
  const files = partitionFilesAt(partition, directory)
  await writeFiles(fs, directory, files)
  const isDamaged = jobs.some(({ segment }) => segment.damage !== null)
  const log = logOptionsOf(context, partition)
  const indexing = isDamaged ? null : new LogIndexing(directory, { fs, log })
  const places = [directory, placeIn(replaced, partition)]
  const planned = jobs.filter(
    ({ segment, isShareable }) =>
      !(isShareable && places.some((place) => local.mayHave(segment, place))),
  )
  const ahead = readAhead(context, planned, slots)
  const search = new LocalSearch(context, jobs)
  let finishing: Promise<void> = Promise.resolve()
  try {
    let lastNext: Offset | null = null
    for (const [index, job] of jobs.entries()) {
      if (context.isStopped()) return
      context.signal?.throwIfAborted()
      indexing?.begin(job.segment.baseOffset)
      const isHere = await search.isHere(index)
      const brought: BroughtSegment = await restoreSegment(context, job, isHere, ahead, indexing)
      lastNext = brought.next
      const isLast = index === jobs.length - 1 && !needsEmptySegment(partition, lastNext)
      const derived = indexing?.end(isLast) ?? []
      const before = finishing
      finishing = allDone([before, brought.finish(), writeFiles(fs, directory, derived)])
      finishing.catch(() => undefined)
      // One is flushed while another one is brought, and no more.
      await before
    }
    await finishing
    await complete(context, partition, { indexing, lastNext, files })
  } finally {
    await ahead.close()
    await search.close()
    await finishing.catch(() => undefined)
  }
}

/** Brings a segment. What was here already is as good, when every byte of it is. */
async function restoreSegment(
  context: PartitionRestoreContext,
  { partition, segment }: SegmentJob,
  isHere: boolean,
  ahead: ReadAhead<StoredExtent, LentContent>,
  indexing: LogIndexing | null,
): Promise<BroughtSegment> {
  const { fs, staging } = context
  const directory = `${staging}/${partition.name}`
  const path = `${directory}/${segmentFileName(segment.baseOffset, 'log')}`
  if (isHere) {
    if (indexing !== null) await indexSegment(fs, path, indexing)
    context.advanced(segment.sizeBytes)
    return { next: null, finish: () => flush(fs, path) }
  }
  // It may be a second name of a file that somebody else has.
  if (fs.stat(path) !== null) await fs.remove(path)
  const [first] = segment.extents
  const isPlanned = first === undefined || ahead.has(first)
  // Slots of its own: those of all may be taken by what comes after it.
  const own = isPlanned ? ahead : readAhead(context, [{ segment }], new ReadSlots(slotsOfOne))
  const write = { ...context, read: (extent: StoredExtent) => own.take(extent) }
  try {
    return await writeSegment(write, directory, segment, partition.end, indexing)
  } finally {
    if (own !== ahead) await own.close()
  }
}

/** Looks for segments here before it is their turn: every byte of them is read. */
class LocalSearch {
  readonly #context: PartitionRestoreContext
  readonly #jobs: readonly SegmentJob[]
  readonly #found: Array<Promise<boolean>> = []

  constructor(context: PartitionRestoreContext, jobs: readonly SegmentJob[]) {
    this.#context = context
    this.#jobs = jobs
  }

  async isHere(index: number): Promise<boolean> {
    while (this.#found.length <= index + searchedAhead) {
      const job = this.#jobs[this.#found.length]
      const found = job === undefined ? Promise.resolve(false) : this.#find(job)
      found.catch(() => undefined)
      this.#found.push(found)
    }
    return (await this.#found[index]) === true
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#found)
  }

  /** From a run before that was interrupted, or from what is replaced. */
  async #find({ partition, segment, isShareable }: SegmentJob): Promise<boolean> {
    if (!isShareable) return false
    const { staging, replaced, local } = this.#context
    const directory = `${staging}/${partition.name}`
    if (await local.has(segment, directory)) return true
    return await local.link(segment, placeIn(replaced, partition), directory)
  }
}

function readAhead(
  { reader, sets }: PartitionRestoreContext,
  jobs: ReadonlyArray<Pick<SegmentJob, 'segment'>>,
  slots: ReadSlots,
): ReadAhead<StoredExtent, LentContent> {
  const segments = new Map(
    jobs.flatMap(({ segment }) => segment.extents.map((extent) => [extent, segment] as const)),
  )
  return new ReadAhead(slots, [...segments.keys()], (extent) => {
    const { set = 0, damage = null } = segments.get(extent) ?? {}
    return reader.borrow(sets[set] ?? '', extent, damage === null)
  })
}

function placeIn(directory: string, { stored }: RestoredPartition): string {
  return `${directory}/${stored.topic}-${stored.partition}`
}

/** What a process that was killed wrote, or somebody copied, need not be on the disk yet. */
async function flush(fs: FileSystem, path: string): Promise<void> {
  const file = fs.open(path, 'read')
  try {
    await file.datasync()
  } finally {
    file.close()
  }
}

/** Whether the last segment is sealed, or does not reach to the end: one is appended to next. */
function needsEmptySegment(partition: RestoredPartition, lastNext: Offset | null): boolean {
  const isSealed = segmentJobs(partition).at(-1)?.isShareable ?? true
  return isSealed || lastNext === null || lastNext < partition.end
}

/** What belongs to a partition as a whole, when its segments are there. */
async function complete(
  context: PartitionRestoreContext,
  partition: RestoredPartition,
  brought: {
    readonly indexing: LogIndexing | null
    readonly lastNext: Offset | null
    readonly files: readonly StoredFileContent[]
  },
): Promise<void> {
  const { fs, staging } = context
  const { indexing, lastNext, files } = brought
  const directory = `${staging}/${partition.name}`
  if (needsEmptySegment(partition, lastNext)) {
    const path = `${directory}/${segmentFileName(partition.end, 'log')}`
    if (fs.stat(path) === null) fs.open(path, 'create').close()
    indexing?.begin(partition.end)
    await writeFiles(fs, directory, indexing?.end(true) ?? [])
  }
  if (indexing === null) await reindex(context, partition, directory)
  // What the source knew counts: compaction and retention may have taken what it knew it from.
  const known = new Set(files.map(({ name }) => name))
  const derived = indexing?.finish().filter(({ name }) => !known.has(name)) ?? []
  await writeFiles(fs, directory, [...derived, ...(indexing === null ? files : [])])
  await fs.syncDirectory(directory)
}

/** Segments that were damaged in the source are left without indexes, for whoever repairs them. */
async function reindex(
  context: PartitionRestoreContext,
  partition: RestoredPartition,
  directory: string,
): Promise<void> {
  const options = { fs: context.fs, log: logOptionsOf(context, partition), isLocked: true }
  for (const { segment } of segmentJobs(partition)) {
    const { baseOffset, damage } = segment
    if (damage !== null) continue
    await reindexLog(`${directory}/${segmentFileName(baseOffset, 'log')}`, options)
  }
}

function logOptionsOf(
  { logOptions }: PartitionRestoreContext,
  { name }: RestoredPartition,
): LogOptions {
  const parsed = parsePartitionDirectoryName(name)
  return parsed === null ? {} : logOptions(parsed.topic, parsed.partition)
}
