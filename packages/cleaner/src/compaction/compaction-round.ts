import type { Clock, FileSystem } from '@varve/log'
import { IoThrottle } from '@varve/log/pacing'
import { CompactionFailedError, SegmentDamageError } from '../cleaning-errors.ts'
import { abortedTransactionsIn } from './aborted-transactions.ts'
import { BatchCleaner } from './batch-cleaner.ts'
import type {
  CleanedGroup,
  CompactionProgress,
  CompactionTask,
  RoundResult,
} from './compaction-task.ts'
import { GroupWriter, removeCleaned } from './group-writer.ts'
import { type DirtyMap, mapDirtyKeys } from './map-building.ts'
import { segmentBatches } from './segment-batches.ts'
import { type GroupedSegment, groupSegments } from './segment-groups.ts'
import { TransactionFates } from './transaction-fates.ts'

/** What a round needs beside its task. The same code runs in a worker and inline. */
export interface RoundContext {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly signal: AbortSignal | null
  /**
   * Puts a group in place. Resolves when that is done; groups are handed over in the order of the
   * log, so that a record goes before what supersedes it may.
   */
  replace(group: CleanedGroup): Promise<void>
  progress(progress: CompactionProgress): void
}

/**
 * One round of compaction (Kafka's Cleaner.doClean): maps the newest offset of every key in the
 * dirty part, as far as memory allows, then rewrites the log from its start to where the map ends.
 * Writes `.cleaned` files only; whoever started it puts them in place.
 *
 * Rejects with SegmentDamageError and CorruptIndexError when what it reads is not whole, with the
 * file system's errors, and with the signal's reason.
 */
export async function compactRound(
  task: CompactionTask,
  context: RoundContext,
): Promise<RoundResult> {
  const { fs, clock, signal } = context
  const throttle = new IoThrottle(task.ioBytesPerSecond, clock, signal)
  if (!task.isDryRun && !(await removeCleaned(fs, task.directory))) {
    const reason = 'an exchange of segments is unfinished; the log has to be opened again'
    throw new CompactionFailedError(task.log, reason, null)
  }
  const aborted = [...abortedTransactionsIn(fs, task.segments), ...task.abortedLater]
  const dirtyBytes = task.segments
    .filter(({ nextOffset }) => nextOffset > task.firstDirtyOffset)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const dirty = await mapDirtyKeys(fs, task, new TransactionFates(aborted), throttle, (doneBytes) =>
    context.progress({ phase: 'mapping', doneBytes, totalBytes: dirtyBytes }),
  )
  const endOffset = dirty.latestOffset + 1
  const rewriting = new Rewriting(task, context, throttle, dirty, new TransactionFates(aborted))
  const reached = task.segments.filter(({ baseOffset }) => baseOffset < endOffset)
  const groups = groupSegments(
    reached.map((segment) => withIndexSizes(fs, segment)),
    task,
  )
  for (const group of groups) await rewriting.rewrite(group)
  return { endOffset, stats: rewriting.stats() }
}

/** 64 segments; no log has such a gap by itself. */
const coveredOffsetsMax = 2 ** 37

class Rewriting {
  readonly #task: CompactionTask
  readonly #context: RoundContext
  readonly #throttle: IoThrottle
  readonly #dirty: DirtyMap
  readonly #cleaner: BatchCleaner
  readonly #totalBytes: number
  #inputBytes = 0
  #outputBytes = 0

  constructor(
    task: CompactionTask,
    context: RoundContext,
    throttle: IoThrottle,
    dirty: DirtyMap,
    fates: TransactionFates,
  ) {
    this.#task = task
    this.#context = context
    this.#throttle = throttle
    this.#dirty = dirty
    this.#cleaner = new BatchCleaner(task, dirty, fates)
    this.#totalBytes = task.segments
      .filter(({ baseOffset }) => baseOffset <= dirty.latestOffset)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** Writes what is left of a group, and has it put in place unless nothing of it has changed. */
  async rewrite(group: readonly GroupedSegment[]): Promise<void> {
    const [first] = group
    const last = group.at(-1)
    if (first === undefined || last === undefined) return
    const { fs } = this.#context
    refuseWideGap(last)
    if (this.#task.isDryRun) {
      await this.#writeLeft(group, null)
      return
    }
    const writer = new GroupWriter(fs, this.#task, first.baseOffset)
    try {
      const isChanged = await this.#writeLeft(group, writer)
      if (!isChanged && group.length === 1) {
        await writer.abandon()
        return
      }
      const cleaned = await writer.finish(last.nextOffset)
      const path = `${cleaned.at(-1)?.info.path}.cleaned`
      const modifiedMs = fs.stat(last.path)?.modifiedMs
      if (modifiedMs !== undefined) fs.setModifiedTime(path, modifiedMs)
      this.#context.signal?.throwIfAborted()
      await this.#context.replace({ replaced: group.map(infoOf), cleaned })
    } catch (error) {
      await writer.abandon().catch(() => undefined)
      throw error
    }
  }

  /** Whether anything is different from what there was. */
  async #writeLeft(group: readonly GroupedSegment[], writer: GroupWriter | null): Promise<boolean> {
    const { fs } = this.#context
    let isChanged = false
    for (const segment of group) {
      for await (const batches of segmentBatches(fs, segment, this.#throttle)) {
        let outputBytes = 0
        for (const batch of batches) {
          const left = this.#cleaner.clean(batch)
          if (left?.batch !== batch) isChanged = true
          if (left === null) continue
          outputBytes += left.batch.sizeBytes
          await writer?.append(left)
        }
        this.#inputBytes += batches.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        this.#outputBytes += outputBytes
        if (writer !== null) await this.#throttle.spend(outputBytes)
        const doneBytes = this.#inputBytes
        this.#context.progress({ phase: 'rewriting', doneBytes, totalBytes: this.#totalBytes })
      }
    }
    return isChanged
  }

  stats(): RoundResult['stats'] {
    const { counts } = this.#cleaner
    return {
      inputBytes: this.#inputBytes,
      outputBytes: this.#outputBytes,
      inputRecords: counts.input,
      outputRecords: counts.output,
      keylessRecords: counts.keyless,
      readBytes: this.#inputBytes + this.#dirty.readBytes,
      keys: this.#dirty.map.size,
      mapBytes: this.#dirty.map.memoryBytes,
    }
  }
}

/** What a cleaned segment covers ends within 2^31 offsets; wider gaps take several. */
function refuseWideGap({ baseOffset, nextOffset, path }: GroupedSegment): void {
  if (nextOffset - baseOffset <= coveredOffsetsMax) return
  const reason = `${nextOffset - baseOffset} offsets lie between its start and the next segment's`
  throw new SegmentDamageError(path, 0, reason)
}

function withIndexSizes(
  fs: FileSystem,
  segment: CompactionTask['segments'][number],
): GroupedSegment {
  const sizeOf = (extension: string): number =>
    fs.stat(segment.path.replace(/\.log$/, extension))?.sizeBytes ?? 0
  return {
    ...segment,
    offsetIndexBytes: sizeOf('.index'),
    timeIndexBytes: sizeOf('.timeindex'),
  }
}

/** As the log described it. */
function infoOf({ baseOffset, nextOffset, sizeBytes, maxTimestamp, path }: GroupedSegment) {
  return { baseOffset, nextOffset, sizeBytes, maxTimestamp, path }
}
