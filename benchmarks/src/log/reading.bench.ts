import assert from 'node:assert/strict'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Log } from '@varve/log'
import type { Batch } from '@varve/record'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import {
  batchesHash,
  bytesHashOfFiles,
  contentHash,
  contentHashOfFiles,
} from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOfNumbers, hashOfTexts } from '../harness/result-hash.ts'
import { readRecordsBarely, type VisitRecord } from './bare-batch-reader.ts'
import { withNewLog } from './log-under-test.ts'
import { type PreparedBatches, prepareBatches } from './prepared-batches.ts'
import { batchesBarely, batchesByOffset, randomReads, recordsByOffset } from './random-reads.ts'

const MiB = 2 ** 20
/** Read at once: the reader's default. */
const readBytes = MiB

export const reading: Benchmark = {
  name: 'reading',
  summary: 'reading a log from start to end, out of the page cache',
  async run(context) {
    const figures: Figure[] = []
    for (const recordBytes of [100, 1024, 10_240]) {
      const prepared = prepareBatches(recordBytes, 64 * 1024, context.size(256 * MiB, 2 * MiB))
      figures.push(
        ...(await withNewLog(context, { acks: 'written' }, async (log) => {
          for (const batch of prepared.batches) await log.appendBatch(batch)
          await log.flush()
          return await ofLog(context, log, prepared)
        })),
      )
    }
    return figures
  },
}

async function ofLog(
  context: BenchmarkContext,
  log: Log,
  prepared: PreparedBatches,
): Promise<readonly Figure[]> {
  const path = log.segments()[0]?.path
  assert.ok(path !== undefined && log.segments().length === 1, 'the log has one segment')
  const { recordBytes, description } = prepared.payload
  const size = Math.round(prepared.sizeBytes / 1e6)
  const conditions = { payload: description, log: `${size} MB in batches of 64 KiB` }
  const raw = { unit: 'MB/s', limit: bareReads(path, prepared), conditions } as const
  const bar = { kind: 'ratio', atLeast: 0.85 } as const
  const figures: Figure[] = []
  for (const visiting of ['views', 'positions'] as const) {
    figures.push(
      await hold(context, {
        name: `${recordBytes} B records, CRC checked, ${visiting} of key and value`,
        unit: 'records/s',
        measured: recordsThroughLog(log, visiting),
        limit: recordsBarely(path, visiting),
        ...(recordBytes === 100 && { bar: { kind: 'value', atLeast: 6e6 } as const }),
        conditions,
      }),
    )
  }
  for (const reuseMemory of [true, false]) {
    for (const verifyChecksums of [false, true]) {
      const memory = reuseMemory ? 'memory reused' : 'memory of their own'
      const crc = verifyChecksums ? ', CRC checked' : ''
      figures.push(
        await hold(context, {
          ...raw,
          name: `${recordBytes} B records, whole batches, ${memory}${crc}`,
          measured: batchesThroughLog(log, prepared, { reuseMemory, verifyChecksums }),
          // The limit reads into one buffer too.
          ...(reuseMemory && { bar }),
        }),
      )
    }
  }
  figures.push(...(await atRandom(context, log, prepared, path, conditions)))
  return figures
}

async function atRandom(
  context: BenchmarkContext,
  log: Log,
  prepared: PreparedBatches,
  path: string,
  conditions: Readonly<Record<string, string>>,
): Promise<readonly Figure[]> {
  const reads = randomReads(prepared, context.size(10_000, 100))
  const shared = { unit: 'reads/s', limit: batchesBarely(path, reads), conditions } as const
  const name = `${prepared.payload.recordBytes} B records, at random`
  return [
    await hold(context, {
      ...shared,
      name: `${name}, single ones, CRC checked`,
      measured: recordsByOffset(log, reads),
    }),
    await hold(context, {
      ...shared,
      name: `${name}, their batches, CRC checked`,
      measured: batchesByOffset(log, reads),
    }),
  ]
}

/**
 * How records are gone through: with an object and two views for each, or with one object that says
 * where they lie.
 */
type Visiting = 'views' | 'positions'

/** What is done with a record: enough that its key and value have to be there. */
class RecordCount {
  records = 0
  keyBytes = 0
  valueBytes = 0
  someBytes = 0

  add(key: Buffer, value: Buffer): void {
    this.records += 1
    this.keyBytes += key.length
    this.valueBytes += value.length
    this.someBytes += (key[key.length - 1] as number) + (value[value.length >>> 1] as number)
  }

  addAt(bytes: Buffer, keyAt: number, keySize: number, valueAt: number, valueSize: number): void {
    this.records += 1
    this.keyBytes += keySize
    this.valueBytes += valueSize
    const inKey = bytes[keyAt + keySize - 1] as number
    this.someBytes += inKey + (bytes[valueAt + (valueSize >>> 1)] as number)
  }

  addAll(batch: Batch): void {
    for (const { key, value } of batch.records()) {
      if (key !== null && value !== null) this.add(key, value)
    }
  }

  addAllAt(batch: Batch): void {
    for (const record of batch.records({ reuseRecord: true })) {
      const { bytes, keyAt, keySize, valueAt, valueSize } = record
      if (keySize >= 0 && valueSize >= 0) this.addAt(bytes, keyAt, keySize, valueAt, valueSize)
    }
  }

  get hash(): string {
    return hashOfNumbers(this.records, this.keyBytes, this.valueBytes, this.someBytes)
  }
}

function recordsThroughLog(log: Log, visiting: Visiting): Contender {
  const reuseMemory = visiting === 'positions'
  const measure = async () => {
    const count = new RecordCount()
    const seconds = await secondsOf(async () => {
      const reader = log.reader({ from: 0, maxBytes: readBytes, reuseMemory })
      for (let batches = await reader.nextBatches(); batches !== null; ) {
        for (const batch of batches) {
          if (visiting === 'views') count.addAll(batch)
          else count.addAllAt(batch)
        }
        batches = await reader.nextBatches()
      }
    })
    const hash = hashOfTexts(count.hash, await contentHash(log))
    return { value: count.records / seconds, hash }
  }
  return {
    name: reuseMemory ? 'log.reader, with reuseMemory and reuseRecord' : 'log.reader',
    measure,
  }
}

function recordsBarely(path: string, visiting: Visiting): Contender {
  const measure = async () => {
    const count = new RecordCount()
    const visit: VisitRecord =
      visiting === 'views'
        ? (bytes, keyAt, keySize, valueAt, valueSize) => {
            const key = bytes.subarray(keyAt, keyAt + keySize)
            count.add(key, bytes.subarray(valueAt, valueAt + valueSize))
          }
        : (bytes, keyAt, keySize, valueAt, valueSize) => {
            count.addAt(bytes, keyAt, keySize, valueAt, valueSize)
          }
    const seconds = await secondsOf(() => readRecordsBarely(path, readBytes, visit))
    const hash = hashOfTexts(count.hash, contentHashOfFiles([path]))
    return { value: count.records / seconds, hash }
  }
  const views = visiting === 'views' ? ', and two views a record' : ''
  return { name: `bare readSync, CRC-32C, varints${views}`, measure }
}

/** The checksums of the batches, as stored, stand for having seen them while time counts. */
function batchesThroughLog(
  log: Log,
  { sizeBytes }: PreparedBatches,
  options: { readonly reuseMemory: boolean; readonly verifyChecksums: boolean },
): Contender {
  const measure = async () => {
    let checksum = 0
    let seen = 0
    const seconds = await secondsOf(async () => {
      const reader = log.reader({ from: 0, maxBytes: readBytes, ...options })
      for (let batches = await reader.nextBatches(); batches !== null; ) {
        for (const batch of batches) {
          checksum = (checksum + batch.crc) % 2 ** 32
          seen += batch.sizeBytes
        }
        batches = await reader.nextBatches()
      }
    })
    assert.equal(seen, sizeBytes, 'the whole log was read')
    const hash = hashOfTexts(hashOfNumbers(checksum, seen), await batchesHash(log, options))
    return { value: sizeBytes / 1e6 / seconds, hash }
  }
  return { name: 'log.reader', measure }
}

function bareReads(path: string, { batches, sizeBytes }: PreparedBatches): Contender {
  const checksum = batches.reduce((sum, batch) => (sum + batch.crc) % 2 ** 32, 0)
  const measure = async () => {
    const descriptor = openSync(path, 'r')
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    let position = 0
    const seconds = await secondsOf(() => {
      for (let count = -1; count !== 0; position += count) {
        count = readSync(descriptor, buffer, 0, readBytes, position)
      }
    })
    closeSync(descriptor)
    assert.equal(position, sizeBytes, 'the whole file was read')
    const hash = hashOfTexts(hashOfNumbers(checksum, position), bytesHashOfFiles([path]))
    return { value: sizeBytes / 1e6 / seconds, hash }
  }
  return { name: `bare readSync of ${readBytes / MiB} MiB into one buffer`, measure }
}
