import type { Batch, LogRecord, Offset, RecordInput } from '@varve/record'
import { committedBatches, type OpenTransactions } from '../reading/committed-records.ts'
import type { HistoryPartition } from '../reading/record-history.ts'
import { passes, type ReplayFilter } from './replay-filter.ts'

/** Records that are appended in one batch, or none where nothing passed the filter. */
export interface ReplayChunk {
  readonly records: readonly RecordInput[]
  /** Of each record, in the source. */
  readonly offsets: readonly Offset[]
  readonly sizeBytes: number
  /** Everything of the source before it has been looked at. */
  readonly next: Offset
}

export interface ChunkOptions {
  readonly from: Offset
  readonly filter: ReplayFilter
  readonly openTransactions: OpenTransactions
  /** No more than so many, uncompressed, unless one record alone has more. */
  readonly chunkBytes: number
}

/** So many of the source in a row are looked at before it is noted that none of them passed. */
const idleOffsets = 100_000

/** A record as it was read, to be appended. */
type ReplayRecord = Pick<LogRecord, 'key' | 'value' | 'headers' | 'timestamp'>

/** Cuts the records of a partition into batches to be appended. */
export async function* replayChunks(
  partition: HistoryPartition,
  { from, filter, openTransactions, chunkBytes }: ChunkOptions,
): AsyncGenerator<ReplayChunk, void, undefined> {
  const { since } = filter
  const options = { from, openTransactions, ...(since !== undefined && { since }) }
  const batches = committedBatches(partition, options)
  let chunk = new OpenChunk(from)
  for (;;) {
    const { done, value } = await batches.next()
    if (done === true) {
      if (chunk.count > 0 || value > chunk.start) yield chunk.end(value)
      return
    }
    for (const record of recordsOf(value, from)) {
      if (!passes(record, filter)) continue
      const input = inputOf(record)
      const sizeBytes = sizeOf(input)
      if (chunk.count > 0 && chunk.sizeBytes + sizeBytes > chunkBytes) {
        yield chunk.end(record.offset)
        chunk = new OpenChunk(record.offset)
      }
      chunk.add(input, record.offset, sizeBytes)
    }
    const isIdle = chunk.count === 0 && value.nextOffset - chunk.start >= idleOffsets
    if (isIdle) {
      yield chunk.end(value.nextOffset)
      chunk = new OpenChunk(value.nextOffset)
    }
  }
}

class OpenChunk {
  readonly start: Offset
  readonly #records: RecordInput[] = []
  readonly #offsets: Offset[] = []
  sizeBytes = 0

  constructor(start: Offset) {
    this.start = start
  }

  get count(): number {
    return this.#records.length
  }

  add(record: ReplayRecord, offset: Offset, sizeBytes: number): void {
    this.#records.push(record)
    this.#offsets.push(offset)
    this.sizeBytes += sizeBytes
  }

  end(next: Offset): ReplayChunk {
    return { records: this.#records, offsets: this.#offsets, sizeBytes: this.sizeBytes, next }
  }
}

function* recordsOf(batch: Batch, from: Offset): Generator<LogRecord, void, undefined> {
  for (const record of batch.records()) if (record.offset >= from) yield record
}

/** A copy: a batch, and its memory, is good until the next one is read. */
function inputOf({ key, value, headers, timestamp }: LogRecord): ReplayRecord {
  return {
    key: copyOf(key),
    value: copyOf(value),
    headers: headers.map((header) => ({ key: header.key, value: copyOf(header.value) })),
    timestamp,
  }
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes && Buffer.from(bytes)
}

/** Without compression, at most: lengths, deltas and counts have up to 36 bytes together. */
function sizeOf({ key, value, headers }: ReplayRecord): number {
  let bytes = 36 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) {
    bytes += 10 + Buffer.byteLength(header.key) + (header.value?.length ?? 0)
  }
  return bytes
}
