import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, ReaderOptions } from '@varve/log'
import { type Batch, crc32c, type LogRecord, type Offset, readBatches } from '@varve/record'
import { hashOf, hashOfTexts, ResultHash } from './result-hash.ts'

const MiB = 2 ** 20
/** Larger than any batch here. */
const chunkBytes = 8 * MiB

/** Over the keys and values of all records of a log that can be seen, in its order. */
export async function contentHash(
  log: Log,
  options: ReaderOptions = { from: log.logStartOffset },
): Promise<string> {
  const hash = new ResultHash()
  for await (const batch of batchesOf(log, options)) addRecords(hash, batch)
  return hash.value
}

/** The same with the offset of each record: what compaction left, and where. */
export async function survivorsHash(log: Log): Promise<string> {
  const hash = new ResultHash()
  for await (const batch of batchesOf(log, { from: log.logStartOffset, reuseMemory: true })) {
    addPlacedRecords(hash, batch.records())
  }
  return hash.value
}

/** What {@link survivorsHash} has to be once a log is compacted: by a map of all its records. */
export async function newestHash(log: Log): Promise<string> {
  const newest = new Map<string, LogRecord>()
  for await (const record of log.reader({ from: log.logStartOffset }).records()) {
    const key = record.key?.toString('latin1') ?? ''
    // It moves to the end of the map, which so stays in the order of offsets.
    newest.delete(key)
    newest.set(key, record)
  }
  const hash = new ResultHash()
  addPlacedRecords(hash, newest.values())
  return hash.value
}

/** The same of a segment file, without the engine; of several, the one behind the other. */
export function contentHashOfFiles(paths: readonly string[]): string {
  const hash = new ResultHash()
  for (const path of paths) {
    let left: Buffer = Buffer.alloc(0)
    for (const chunk of chunksOf(path)) {
      const bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk])
      let used = 0
      for (const batch of readBatches(bytes)) {
        batch.validate()
        addRecords(hash, batch)
        used += batch.sizeBytes
      }
      left = Buffer.from(bytes.subarray(used))
    }
    if (left.length > 0) throw new Error(`${path} ends within a batch`)
  }
  return hash.value
}

/** Over the batches of a log as they lie in its segments: records, offsets, timestamps, all. */
export async function batchesHash(
  log: Log,
  options: Omit<ReaderOptions, 'from'> = { reuseMemory: true },
): Promise<string> {
  const hash = new ResultHash()
  const from = log.logStartOffset
  for await (const batch of batchesOf(log, { ...options, from })) hash.add(batch.bytes)
  return hash.value
}

/** Over the bytes of files, the one behind the other: all of them, or the first ones. */
export function bytesHashOfFiles(
  paths: readonly string[],
  bytesMax: number = Number.POSITIVE_INFINITY,
): string {
  const hash = new ResultHash()
  let left = bytesMax
  for (const path of paths) {
    for (const chunk of chunksOf(path)) {
      hash.add(chunk.subarray(0, left))
      left -= Math.min(left, chunk.length)
    }
  }
  return hash.value
}

/**
 * Of records that lie in the partitions of a topic by turns, in the order in which they were
 * appended, from the given offset of each on: the same however many partitions there are.
 */
export async function contentHashInTurns(
  logs: readonly Log[],
  from: readonly Offset[] = logs.map((log) => log.logStartOffset),
): Promise<string> {
  const sums: (readonly number[])[] = []
  for (const [index, log] of logs.entries()) sums.push(await recordSums(log, from[index] ?? 0))
  const count = sums.reduce((all, { length }) => all + length, 0)
  const inOrder = Uint32Array.from({ length: count }, (_, index) => {
    return sums[index % sums.length]?.[Math.floor(index / sums.length)] ?? 0
  })
  return hashOfTexts(String(count), hashOf(new Uint8Array(inOrder.buffer)))
}

/** What {@link contentHashInTurns} is of records in one order. */
export function hashInTurns(records: Iterable<{ readonly bytes: Uint8Array }>): string {
  const inOrder = Uint32Array.from(records, ({ bytes }) => crc32c(bytes))
  return hashOfTexts(String(inOrder.length), hashOf(new Uint8Array(inOrder.buffer)))
}

/** Offsets of a log that was opened: where it begins and ends, and each segment. */
export function offsetsOf(log: Log): string {
  const segments = log.segments().map(({ baseOffset, nextOffset, sizeBytes }) => {
    return `${baseOffset}-${nextOffset}:${sizeBytes}`
  })
  return [log.name, String(log.logStartOffset), String(log.logEndOffset), ...segments].join(' ')
}

/** The segment files of a log's directory, in the order of their offsets. */
export function segmentFilesIn(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .map((name) => join(directory, name))
}

function addRecords(hash: ResultHash, batch: Batch): void {
  for (const { key, value } of batch.records()) {
    if (key !== null) hash.add(key)
    if (value !== null) hash.add(value)
  }
}

function addPlacedRecords(hash: ResultHash, records: Iterable<LogRecord>): void {
  const place = Buffer.alloc(8)
  for (const { offset, key, value } of records) {
    place.writeDoubleBE(offset)
    hash.add(place)
    if (key !== null) hash.add(key)
    if (value !== null) hash.add(value)
  }
}

async function recordSums(log: Log, from: Offset): Promise<readonly number[]> {
  const sums: number[] = []
  if (from === log.highWatermark) return sums
  for await (const batch of batchesOf(log, { from })) {
    for (const { key, value } of batch.records()) {
      const sum = key === null ? 0 : crc32c(key)
      sums.push(value === null ? sum : crc32c(value, sum))
    }
  }
  return sums
}

async function* batchesOf(log: Log, options: ReaderOptions): AsyncGenerator<Batch> {
  const reader = log.reader(options)
  for (let batches = await reader.nextBatches(); batches !== null; ) {
    yield* batches
    batches = await reader.nextBatches()
  }
}

/** Each is over when the next one is asked for. */
function* chunksOf(path: string): Generator<Buffer> {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    for (let position = 0; ; ) {
      const count = readSync(descriptor, buffer, 0, chunkBytes, position)
      if (count === 0) return
      yield buffer.subarray(0, count)
      position += count
    }
  } finally {
    closeSync(descriptor)
  }
}
