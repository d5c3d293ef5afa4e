import { type CleanedSegment, CleanedSegmentWriter, type FileSystem } from '@varve/log'
import { parseSegmentFileName } from '@varve/log/files'
import type { Offset } from '@varve/record'
import type { CleanedBatch } from './batch-cleaner.ts'
import type { CompactionTask } from './compaction-task.ts'

const int32Max = 2 ** 31 - 1
/** Of the time index, which has the larger entries. */
const indexEntryBytes = 12

/**
 * Writes what is left of a group of segments: one segment, or several where it does not fit in one.
 * Nearly always it is one, since what is left is less than what there was; but delete horizons and
 * another compression can make batches larger.
 */
export class GroupWriter {
  readonly #fs: FileSystem
  readonly #task: CompactionTask
  readonly #finished: CleanedSegment[] = []
  #baseOffset: Offset
  #writer: CleanedSegmentWriter
  /** The offset after the last batch in the current output. */
  #nextOffset: Offset
  #batches = 0
  #finishedBytes = 0

  constructor(fs: FileSystem, task: CompactionTask, baseOffset: Offset) {
    this.#fs = fs
    this.#task = task
    this.#baseOffset = baseOffset
    this.#nextOffset = baseOffset
    this.#writer = this.#open(baseOffset)
  }

  /** Written so far. */
  get sizeBytes(): number {
    return this.#finishedBytes + this.#writer.sizeBytes
  }

  async append({ batch, aborted }: CleanedBatch): Promise<void> {
    if (this.#isFull(batch.sizeBytes)) await this.#startNext(batch.baseOffset)
    await this.#writer.append(batch)
    if (aborted !== null) this.#writer.addAbortedTransaction(aborted)
    this.#nextOffset = batch.nextOffset
    this.#batches += 1
  }

  /** Makes it durable. `nextOffset`: where the segment after the group begins. */
  async finish(nextOffset: Offset): Promise<readonly CleanedSegment[]> {
    // A gap in the offsets that no segment can cover: its end gets a segment of its own.
    if (nextOffset - 1 - this.#baseOffset > int32Max) await this.#startNext(nextOffset - 1)
    this.#finished.push(await this.#writer.finish(nextOffset))
    return this.#finished
  }

  /** Gives up: removes what was written. */
  async abandon(): Promise<void> {
    await this.#writer.abandon().catch(() => undefined)
    await removeCleaned(this.#fs, this.#task.directory)
  }

  #open(baseOffset: Offset): CleanedSegmentWriter {
    const { directory, segmentBytes, segmentIndexBytes, indexIntervalBytes } = this.#task
    const log = { segmentBytes, segmentIndexBytes, indexIntervalBytes }
    return new CleanedSegmentWriter(directory, baseOffset, { fs: this.#fs, log })
  }

  #isFull(batchBytes: number): boolean {
    const { outputBytesMax = int32Max, segmentIndexBytes, indexIntervalBytes } = this.#task
    const { sizeBytes } = this.#writer
    if (this.#batches === 0) return false
    const entries = Math.min(this.#batches, Math.floor(sizeBytes / (indexIntervalBytes + 1)))
    const entriesMax = Math.floor(segmentIndexBytes / indexEntryBytes) - 1
    return sizeBytes + batchBytes > outputBytesMax || entries >= entriesMax
  }

  async #startNext(baseOffset: Offset): Promise<void> {
    const reachable = Math.min(baseOffset, this.#baseOffset + int32Max + 1)
    const end = Math.max(reachable, this.#nextOffset)
    this.#finished.push(await this.#writer.finish(end))
    this.#finishedBytes += this.#writer.sizeBytes
    // Segments of a group follow each other: the next begins where this one ends.
    this.#baseOffset = end
    this.#nextOffset = end
    this.#batches = 0
    this.#writer = this.#open(end)
    if (end < baseOffset) await this.#startNext(baseOffset)
  }
}

/**
 * Removes unfinished output from a log's directory; also before anything is written there, because
 * a worker that was stopped may still have a write under way, which must not hit a file that is
 * used again. While an exchange of segments is unfinished, nothing is removed, since `.cleaned`
 * files tell the next opening how far it had come. Returns whether there are none left.
 */
export async function removeCleaned(fs: FileSystem, directory: string): Promise<boolean> {
  const files = fs.list(directory).map((name) => ({ name, parsed: parseSegmentFileName(name) }))
  if (files.some(({ parsed }) => parsed?.suffix === '.swap')) return false
  for (const { name, parsed } of files) {
    if (parsed?.suffix === '.cleaned') await fs.remove(`${directory}/${name}`)
  }
  return true
}
