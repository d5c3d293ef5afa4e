import { type Batch, type Offset, RecordBatch, RecordBatchBuilder } from '@varve/record'
import type { LogOptions } from '../../src/base/log-options.ts'
import type { SegmentInfo } from '../../src/base/segment-info.ts'
import type { Log } from '../../src/log.ts'
import {
  type CleanedSegment,
  CleanedSegmentWriter,
} from '../../src/segments/cleaned-segment-writer.ts'
import type { FileSystem } from '../../src/storage/file-system.ts'
import { endedTransactions, type LedgerRecord } from './ledger.ts'

/** A compaction that is ready to be put in place. */
export interface Compaction {
  readonly cleaned: readonly CleanedSegment[]
  readonly replaced: readonly SegmentInfo[]
  /** Records that it leaves out. */
  readonly removed: ReadonlySet<Offset>
}

export interface CompactionChoice {
  /** The segments from this index on … */
  readonly from: number
  /** … and before this one. */
  readonly to: number
  /** How many segments they become, at most; default 1. */
  readonly outputs?: number
}

/**
 * A simple compaction of neighbouring sealed segments, as tests need it: a record goes when a later
 * one has its key. Transactional batches and markers stay as they are.
 */
export async function prepareCompaction(
  log: Log,
  fs: FileSystem,
  options: LogOptions,
  records: readonly LedgerRecord[],
  choice: CompactionChoice,
): Promise<Compaction> {
  const { from, to, outputs = 1 } = choice
  const replaced = log.segments().slice(from, to)
  const start = replaced[0]?.baseOffset ?? 0
  const end = replaced.at(-1)?.nextOffset ?? 0
  const removed = new Set<Offset>()
  const kept = await cleanedBatches(log, start, end, removed)
  const share = Math.max(1, Math.ceil(kept.length / outputs))
  const cleaned: CleanedSegment[] = []
  for (let first = 0; first === 0 || first < kept.length; first += share) {
    const baseOffset = first === 0 ? start : (kept[first]?.baseOffset ?? end)
    const writer = new CleanedSegmentWriter(log.directory, baseOffset, { fs, log: options })
    const batches = kept.slice(first, first + share)
    const nextOffset = kept[first + share]?.baseOffset ?? end
    try {
      cleaned.push(await writeCleaned(writer, batches, records, nextOffset))
    } catch (error) {
      await writer.abandon().catch(() => undefined)
      throw error
    }
  }
  return { cleaned, replaced, removed }
}

async function writeCleaned(
  writer: CleanedSegmentWriter,
  batches: readonly Batch[],
  records: readonly LedgerRecord[],
  nextOffset: Offset,
): Promise<CleanedSegment> {
  for (const batch of batches) {
    await writer.append(batch)
    if (!batch.isControl) continue
    for (const transaction of endedTransactions(records.slice(0, batch.nextOffset))) {
      const isHere = transaction.lastOffset === batch.baseOffset
      if (isHere && transaction.isAborted) writer.addAbortedTransaction(transaction)
    }
  }
  return writer.finish(nextOffset)
}

async function cleanedBatches(
  log: Log,
  start: Offset,
  end: Offset,
  removed: Set<Offset>,
): Promise<readonly Batch[]> {
  const newest = new Map<string, Offset>()
  const batches: Batch[] = []
  for await (const batch of log.reader({ from: Math.max(start, log.logStartOffset) })) {
    for (const record of batch.records()) newest.set(String(record.key), record.offset)
    if (batch.baseOffset < end) batches.push(batch)
  }
  return batches.flatMap((batch) => cleanedBatch(batch, newest, removed))
}

/** The batch without its superseded records; nothing when none is left. */
function cleanedBatch(
  batch: Batch,
  newest: ReadonlyMap<string, Offset>,
  removed: Set<Offset>,
): readonly Batch[] {
  if (!(batch instanceof RecordBatch) || batch.isTransactional || batch.isControl) return [batch]
  const { baseOffset, leaderEpoch, producerId, producerEpoch, baseSequence } = batch
  const { compressionType } = batch
  const producer = { producerId, producerEpoch, baseSequence }
  const builder = new RecordBatchBuilder({ baseOffset, leaderEpoch, compressionType, ...producer })
  for (const record of batch.records()) {
    const { key, value, headers, timestamp, offset } = record
    if (newest.get(String(key)) !== offset) removed.add(offset)
    else builder.append({ key, value, headers, timestamp }, offset - baseOffset)
  }
  if (builder.count === 0) return []
  return [builder.build({ lastOffsetDelta: batch.lastOffset - baseOffset })]
}
