import assert from 'node:assert/strict'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Log } from '@varve/log'
import { type LogRecord, readBatchAt } from '@varve/record'
import { type Contender, type Sample, secondsOf } from '../harness/contest.ts'
import { SeededRandom } from '../harness/random.ts'
import { ResultHash } from '../harness/result-hash.ts'
import type { PreparedBatches } from './prepared-batches.ts'

/** Where in the file the batch of each offset to be read is, and how large. */
interface Read {
  readonly offset: number
  readonly position: number
  readonly sizeBytes: number
}

/** Offsets at random, from a seed, of a log that holds these batches. */
export function randomReads({ batches, recordsOf }: PreparedBatches, count: number): Read[] {
  const random = new SeededRandom(11)
  const places: Array<Omit<Read, 'offset'> & { first: number; records: number }> = []
  let [position, first] = [0, 0]
  for (const [index, { sizeBytes }] of batches.entries()) {
    const records = recordsOf[index]?.length ?? 0
    places.push({ position, sizeBytes, first, records })
    position += sizeBytes
    first += records
  }
  return Array.from({ length: count }, () => {
    const place = places[random.integer(places.length)]
    if (place === undefined) throw new Error('there is a batch')
    const { records, first: start, ...rest } = place
    return { ...rest, offset: start + random.integer(records) }
  })
}

/** So many at a time: each is asked for when the one before it, of the same caller, is there. */
export function recordsByOffset(log: Log, reads: readonly Read[], inFlight = 1): Contender {
  const measure = async () => {
    let sum = 0
    let next = 0
    const call = async (): Promise<void> => {
      for (let read = reads[next++]; read !== undefined; read = reads[next++]) {
        const record = await log.readRecord(read.offset)
        if (record?.value?.length !== 0) sum += record?.offset ?? Number.NaN
      }
    }
    const seconds = await secondsOf(async () => {
      await Promise.all(Array.from({ length: inFlight }, call))
    })
    return await sampleOf(reads, seconds, sum, ({ offset }) => log.readRecord(offset))
  }
  return { name: 'log.readRecord', measure }
}

export function batchesByOffset(log: Log, reads: readonly Read[]): Contender {
  const measure = async () => {
    let sum = 0
    const seconds = await secondsOf(async () => {
      for (const { offset } of reads) {
        const { batches } = await log.read({ from: offset, maxBytes: 1 })
        sum += (batches[0]?.baseOffset ?? Number.NaN) <= offset ? offset : Number.NaN
      }
    })
    return await sampleOf(reads, seconds, sum, async ({ offset }) => {
      const { batches } = await log.read({ from: offset, maxBytes: 1 })
      return batches[0]?.records().find(offset) ?? null
    })
  }
  return { name: 'log.read', measure }
}

/** Reads the batch of each, whose place it is told, and does not look at it. */
export function batchesBarely(path: string, reads: readonly Read[]): Contender {
  const buffer = Buffer.allocUnsafeSlow(Math.max(...reads.map(({ sizeBytes }) => sizeBytes)))
  const measure = async () => {
    const descriptor = openSync(path, 'r')
    let sum = 0
    const seconds = await secondsOf(() => {
      for (const { offset, position, sizeBytes } of reads) {
        readSync(descriptor, buffer, 0, sizeBytes, position)
        sum += offset
      }
    })
    const sample = await sampleOf(reads, seconds, sum, async (read) => {
      readSync(descriptor, buffer, 0, read.sizeBytes, read.position)
      const batch = readBatchAt(buffer, 0, read.sizeBytes, read.position)
      return batch?.records().find(read.offset) ?? null
    })
    closeSync(descriptor)
    return sample
  }
  return { name: 'bare readSync of the batch, where it is known', measure }
}

/** The same reads once more, to see what they give: the record at each offset. */
async function sampleOf(
  reads: readonly Read[],
  seconds: number,
  sum: number,
  recordAt: (read: Read) => Promise<Pick<LogRecord, 'key' | 'value' | 'offset'> | null>,
): Promise<Sample> {
  const hash = new ResultHash()
  let expected = 0
  for (const read of reads) {
    const record = await recordAt(read)
    assert.equal(record?.offset, read.offset, 'the record that was asked for was read')
    expected += read.offset
    if (record?.key) hash.add(record.key)
    if (record?.value) hash.add(record.value)
  }
  assert.equal(sum, expected, 'every read was answered')
  return { value: reads.length / seconds, hash: hash.value }
}
