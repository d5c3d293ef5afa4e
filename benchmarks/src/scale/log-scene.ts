import assert from 'node:assert/strict'
import { type Log, LogDirectory, type LogOptions } from '@varve/log'
import { RecordBatchBuilder } from '@varve/record'
import { type Sample, secondsOf } from '../harness/contest.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'
import { hashOfNumbers, ResultHash } from '../harness/result-hash.ts'

/** A data directory that is closed, for those who open it, and what it was made with. */
export interface ClosedDirectory {
  readonly path: string
  readonly options: LogOptions
}

export const batchRecords = 100
/** Of the checksum in a batch. */
const crcAt = 17
export const recordBytes = 100

/** Timestamps of batches are one second apart, so that each can be looked for. */
export function timestampOf(batch: number): number {
  return 1_790_000_000_000 + batch * 1_000
}

/** Of {@link fill}: what is waited for together. */
const batchesInFlight = 32

/** Appends batches of 100 records of 100 bytes, not flushed. */
export async function fill(log: Log, batches: number, from = 0): Promise<void> {
  const { records } = payloadOf(recordBytes, batchRecords)
  const end = from + batches
  for (let first = from; first < end; first += batchesInFlight) {
    const group = Array.from({ length: Math.min(batchesInFlight, end - first) }, (_, index) => {
      const builder = new RecordBatchBuilder({ defaultTimestamp: timestampOf(first + index) })
      for (const record of records) builder.append(record)
      return log.appendBatch(builder.build())
    })
    await Promise.all(group)
  }
}

/** Opens for as long as something is measured, so that many scenes can be there at once. */
export async function withLog<Result>(
  { path, options }: ClosedDirectory,
  use: (log: Log) => Promise<Result>,
): Promise<Result> {
  await using directory = await LogDirectory.open(path, { log: options })
  return await use(directory.log('bench', 0))
}

/** Microseconds of a read of one batch, at offsets in no order. */
export function readingAtRandom(scene: ClosedDirectory, reads: number): Promise<Sample> {
  return withLog(scene, async (log) => {
    const random = new SeededRandom(11)
    const offsets = Array.from({ length: reads }, () => random.integer(log.logEndOffset))
    let found = 0
    const seconds = await secondsOf(async () => {
      for (const from of offsets) {
        const { batches } = await log.read({ from, maxBytes: 1 })
        found += batches[0]?.baseOffset ?? 0
      }
    })
    // Once more, to see what was read.
    const hash = new ResultHash()
    for (const from of offsets) {
      const { batches } = await log.read({ from, maxBytes: 1 })
      for (const batch of batches.slice(0, 1)) {
        found -= batch.baseOffset
        hash.add(batch.bytes)
      }
    }
    assert.equal(found, 0, 'both times the same was found')
    return { value: (seconds / reads) * 1e6, hash: hash.value }
  })
}

/** Milliseconds of the first look-up by a timestamp, of a record in the last segment. */
export function searchingFirst(scene: ClosedDirectory): Promise<Sample> {
  return withLog(scene, async (log) => {
    let found = 0
    const last = timestampOf(log.logEndOffset / batchRecords - 1)
    const seconds = await secondsOf(async () => {
      found = (await log.offsetForTimestamp(last))?.offset ?? 0
    })
    return { value: seconds * 1e3, hash: await hashAt(log, [{ found, time: last }]) }
  })
}

/** Microseconds of looking an offset up by a timestamp, after the first time. */
export function searchingByTime(scene: ClosedDirectory, searches: number): Promise<Sample> {
  return withLog(scene, async (log) => {
    const random = new SeededRandom(12)
    const batches = log.logEndOffset / batchRecords
    const times = Array.from({ length: searches }, () => timestampOf(random.integer(batches)))
    const offsets = new Float64Array(searches)
    await log.offsetForTimestamp(Number.MAX_SAFE_INTEGER)
    const seconds = await secondsOf(async () => {
      for (let index = 0; index < searches; index++) {
        offsets[index] = (await log.offsetForTimestamp(times[index] ?? 0))?.offset ?? -1
      }
    })
    const searched = times.map((time, index) => ({ time, found: offsets[index] ?? -1 }))
    return { value: (seconds / searches) * 1e6, hash: await hashAt(log, searched) }
  })
}

/**
 * Nanoseconds a record of reading all of them. The reader has checked each batch against its CRC,
 * so those of all of them, in order, stand for their content.
 */
export function readingAll(scene: ClosedDirectory): Promise<Sample> {
  return withLog(scene, async (log) => {
    let records = 0
    let sum = 0
    const seconds = await secondsOf(async () => {
      const reader = log.reader({ from: 0, reuseMemory: true })
      for (let batches = await reader.nextBatches(); batches !== null; ) {
        for (const { nextOffset, baseOffset, bytes } of batches) {
          records += nextOffset - baseOffset
          sum = (Math.imul(sum, 31) + bytes.readUInt32BE(crcAt)) >>> 0
        }
        batches = await reader.nextBatches()
      }
    })
    return { value: (seconds / records) * 1e9, hash: hashOfNumbers(records, sum) }
  })
}

/** Over the batches in which searches by timestamp ended. */
async function hashAt(
  log: Log,
  searches: readonly { readonly time: number; readonly found: number }[],
): Promise<string> {
  const hash = new ResultHash()
  for (const { time, found } of searches) {
    const { batches } = await log.read({ from: found, maxBytes: 1 })
    assert.equal(batches[0]?.maxTimestamp, time, 'the batch of the timestamp was found')
    for (const batch of batches.slice(0, 1)) hash.add(batch.bytes)
  }
  return hash.value
}
