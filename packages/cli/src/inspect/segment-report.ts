import { type FileSystem, nodeFileSystem } from '@varve/log'
import { type ScanEnd, type SegmentFileKind, scanBatches, segmentFileName } from '@varve/log/files'
import { type Batch, decompress, NativeModuleError } from '@varve/record'
import { type IndexKind, indexKinds } from '../dump/index-kinds.ts'
import { streamIndex } from '../dump/index-stream.ts'

/** What one segment holds, found by reading all of it. Plain data. */
export interface SegmentReport {
  readonly path: string
  readonly baseOffset: number
  /** The offset after the last batch's last. */
  readonly nextOffset: number
  readonly records: number
  readonly batches: number
  /** Of the `.log`. */
  readonly sizeBytes: number
  /** What the batches would take uncompressed; null where a codec cannot be loaded. */
  readonly uncompressedBytes: number | null
  /** Uncompressed by stored bytes, of all whole batches; null where there is nothing to compare. */
  readonly compressionRatio: number | null
  /** Batches by codec. */
  readonly compression: { readonly [codec: string]: number }
  /** Timestamp of the first record that has one; null without one. */
  readonly firstTimestamp: number | null
  /** The largest timestamp. */
  readonly lastTimestamp: number | null
  /** Entries of each index; null where there is no such file. */
  readonly indexEntries: {
    readonly offset: number | null
    readonly time: number | null
    readonly transaction: number | null
  }
  /** Ascending; no more than the first thousand that were met. */
  readonly producerIds: readonly number[]
  /** How many there are; a lower bound beyond ten thousand. */
  readonly producers: number
  readonly health: SegmentHealth
  /** What is wrong, a sentence each. Empty when health is `ok`. */
  readonly problems: readonly string[]
}

/**
 * - `ok`: every batch is whole and its checksum right.
 * - `tail`: behind the last whole batch there is something that is none, where that is nothing
 *   unusual: a write under way, or what a crash left for recovery to cut off.
 * - `damaged`: anything else.
 */
export type SegmentHealth = 'ok' | 'tail' | 'damaged'

export interface ScanSegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  /** Where the log may be torn: its end, after anything but a clean shutdown. */
  readonly mayHaveTail: boolean
  readonly recoveryPoint: number | null
  /** Called with the bytes of each batch; returns false to stop. */
  readonly onBatch: (sizeBytes: number) => boolean
  readonly path?: string
}

const producersMax = 10_000
const producersListedMax = 1000

/** Reads a segment once, decompressing what is compressed, in memory for one chunk or batch. */
export async function scanSegment(
  options: ScanSegmentOptions,
  fs: FileSystem = nodeFileSystem,
): Promise<SegmentReport> {
  const { directory, baseOffset } = options
  const path = options.path ?? `${directory}/${segmentFileName(baseOffset, 'log')}`
  const tally = new SegmentTally(baseOffset)
  const file = fs.open(path, 'read')
  let end: ScanEnd
  let sizeBytes: number
  try {
    sizeBytes = file.sizeBytes()
    const visit = (batch: Batch): boolean => {
      tally.add(batch)
      return options.onBatch(batch.sizeBytes)
    }
    end = await scanBatches(file, visit, { to: sizeBytes })
  } finally {
    file.close()
  }
  const problems: string[] = []
  const indexEntries = {
    offset: await countEntries(fs, options, 'index', problems),
    time: await countEntries(fs, options, 'timeindex', problems),
    transaction: await countEntries(fs, options, 'txnindex', problems),
  }
  const hasIndexProblem = problems.length > 0
  const stop = judgeEnd(options, tally.nextOffset, end, sizeBytes)
  if (stop.problem !== null) problems.unshift(stop.problem)
  return {
    ...{ path, baseOffset, sizeBytes },
    ...tally.report(end.position),
    indexEntries,
    health: hasIndexProblem ? 'damaged' : stop.health,
    problems,
  }
}

interface JudgedEnd {
  readonly health: SegmentHealth
  readonly problem: string | null
}

function judgeEnd(
  options: ScanSegmentOptions,
  nextOffset: number,
  end: ScanEnd,
  sizeBytes: number,
): JudgedEnd {
  if (end.stop === 'end' || end.stop === 'visitor') return { health: 'ok', problem: null }
  const rest = sizeBytes - end.position
  const where = `at position ${end.position}, after offset ${nextOffset - 1}: ${end.reason}`
  if (options.mayHaveTail && nextOffset >= (options.recoveryPoint ?? 0)) {
    return { health: 'tail', problem: `the last ${rest} bytes are no whole batch, ${where}` }
  }
  return { health: 'damaged', problem: `damaged ${where}; ${rest} bytes were not looked at` }
}

/** What the batches of a segment add up to. */
class SegmentTally {
  nextOffset: number
  #records = 0
  #batches = 0
  #uncompressedBytes: number | null = 0
  #firstTimestamp: number | null = null
  #lastTimestamp: number | null = null
  readonly #compression: Record<string, number> = {}
  readonly #producerIds = new Set<number>()

  constructor(baseOffset: number) {
    this.nextOffset = baseOffset
  }

  /** Throws, having counted nothing, when the batch cannot be read. */
  add(batch: Batch): void {
    const sizes = this.#measure(batch)
    const codec = batch.compressionType
    this.nextOffset = batch.nextOffset
    this.#batches += 1
    this.#records += sizes.records
    if (sizes.uncompressedBytes === null) this.#uncompressedBytes = null
    else if (this.#uncompressedBytes !== null) this.#uncompressedBytes += sizes.uncompressedBytes
    this.#compression[codec] = (this.#compression[codec] ?? 0) + 1
    const { maxTimestamp, producerId } = batch
    if (maxTimestamp >= 0) {
      this.#firstTimestamp ??= firstTimestampOf(batch)
      this.#lastTimestamp = Math.max(this.#lastTimestamp ?? 0, maxTimestamp)
    }
    if (producerId >= 0 && this.#producerIds.size < producersMax) this.#producerIds.add(producerId)
  }

  report(
    validBytes: number,
  ): Omit<
    SegmentReport,
    'path' | 'baseOffset' | 'sizeBytes' | 'indexEntries' | 'health' | 'problems'
  > {
    const uncompressedBytes = this.#uncompressedBytes
    const producerIds = [...this.#producerIds].slice(0, producersListedMax).sort((a, b) => a - b)
    return {
      nextOffset: this.nextOffset,
      records: this.#records,
      batches: this.#batches,
      uncompressedBytes,
      compressionRatio:
        uncompressedBytes === null || validBytes === 0 ? null : uncompressedBytes / validBytes,
      compression: this.#compression,
      firstTimestamp: this.#firstTimestamp,
      lastTimestamp: this.#lastTimestamp,
      producerIds,
      producers: this.#producerIds.size,
    }
  }

  #measure(batch: Batch): { records: number; uncompressedBytes: number | null } {
    if (batch.compressionType === 'none') {
      return { records: batch.count ?? 1, uncompressedBytes: batch.sizeBytes }
    }
    try {
      return measureCompressed(batch)
    } catch (error) {
      // The batch may be fine: this machine cannot tell.
      if (!(error instanceof NativeModuleError)) throw error
      return { records: batch.count ?? 0, uncompressedBytes: null }
    }
  }
}

/** The header of a batch of magic 2 is never compressed. */
const headerBytes = 61

function measureCompressed(batch: Batch): { records: number; uncompressedBytes: number } {
  const { compressionType, bytes, position } = batch
  if (batch.count !== null) {
    const records = decompress(compressionType, bytes.subarray(headerBytes), { position })
    return { records: batch.count, uncompressedBytes: headerBytes + records.length }
  }
  let records = 0
  let uncompressedBytes = 0
  for (const record of batch.records()) {
    records += 1
    uncompressedBytes += legacyRecordBytes(batch.magic, record.keySize, record.valueSize)
  }
  return { records, uncompressedBytes }
}

/** Offset, size, CRC, magic, attributes, the timestamp of magic 1, and two sizes. */
function legacyRecordBytes(magic: number, keySize: number, valueSize: number): number {
  const fixed = 12 + 4 + 1 + 1 + (magic === 0 ? 0 : 8) + 4 + 4
  return fixed + Math.max(keySize, 0) + Math.max(valueSize, 0)
}

function firstTimestampOf(batch: Batch): number | null {
  for (const { timestamp } of batch.records()) return timestamp
  return null
}

/** Null when there is no such file. Of an index whose end is damaged, what stands before counts. */
async function countEntries(
  fs: FileSystem,
  { directory, baseOffset }: ScanSegmentOptions,
  kind: IndexKind['type'] & SegmentFileKind,
  problems: string[],
): Promise<number | null> {
  const name = segmentFileName(baseOffset, kind)
  const path = `${directory}/${name}`
  if (fs.stat(path) === null) return null
  const file = fs.open(path, 'read')
  try {
    const { count, problem } = await streamIndex(
      file,
      indexKinds[kind],
      baseOffset,
      async () => true,
    )
    if (problem !== null && !problem.isPadding) {
      problems.push(`${name} is damaged at position ${problem.position}: ${problem.reason}`)
    }
    return count
  } finally {
    file.close()
  }
}
