import assert from 'node:assert/strict'
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { LogDirectory } from '@varve/log'
import { crc32c } from '@varve/record'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { batchesHash, bytesHashOfFiles } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOfTexts } from '../harness/result-hash.ts'
import { type PreparedBatches, prepareBatches } from './prepared-batches.ts'

const KiB = 1024
const MiB = KiB * KiB
const chunkBytes = MiB
const oneSegment = { segmentBytes: 2 ** 31 - 1, acks: 'written' } as const
const logName = 'bench-0'
const segmentFile = '00000000000000000000.log'

/** Where recovery has to begin. What lies above it is also written again, and flushed. */
type RecoveryPoint = 'at the end' | 'at the start'

export const recovery: Benchmark = {
  name: 'recovery',
  summary: 'opening a log that was not closed, one segment, its data in the page cache',
  async run(context) {
    const figures: Figure[] = []
    for (const batchBytes of [16 * KiB, KiB]) {
      const total = context.size(batchBytes === KiB ? 600 * MiB : 1000 * MiB, 2 * MiB)
      const prepared = prepareBatches(100, batchBytes, total)
      figures.push(
        ...(await context.withDirectory(async (path) => {
          await writeLog(path, prepared)
          return await ofLog(context, path, prepared, batchBytes)
        })),
      )
    }
    return figures
  },
}

async function writeLog(path: string, { batches }: PreparedBatches): Promise<void> {
  await using directory = await LogDirectory.open(path, { log: oneSegment })
  const log = await directory.createLog('bench', 0)
  for (let index = 0; index < batches.length; index += 64) {
    await Promise.all(batches.slice(index, index + 64).map((batch) => log.appendBatch(batch)))
  }
}

async function ofLog(
  context: BenchmarkContext,
  path: string,
  prepared: PreparedBatches,
  batchBytes: number,
): Promise<readonly Figure[]> {
  const records = prepared.recordsOf.reduce((sum, list) => sum + list.length, 0)
  const opened = (point: RecoveryPoint): Contender => openLog(path, prepared, records, point)
  const bare = (isRewriting: boolean): Contender => scanBarely(path, prepared, records, isRewriting)
  const name = `batches of ${batchBytes / KiB} KiB, recovery point`
  const conditions = {
    payload: prepared.payload.description,
    segment: `${Math.round(prepared.sizeBytes / 1e6)} MB`,
  }
  const unit = 'MB/s'
  const bar = { kind: 'ratio', atLeast: 0.8 } as const
  return [
    await hold(context, {
      name: `${name} at the end: scan only`,
      unit,
      measured: opened('at the end'),
      limit: bare(false),
      bar,
      conditions,
    }),
    await hold(context, {
      name: `${name} at the start: scan, rewrite, flush`,
      unit,
      measured: opened('at the start'),
      limit: bare(true),
      bar,
      conditions,
    }),
  ]
}

function openLog(
  path: string,
  { sizeBytes }: PreparedBatches,
  records: number,
  point: RecoveryPoint,
): Contender {
  const measure = async () => {
    makeUnclean(path, point === 'at the end' ? records : 0)
    let directory: LogDirectory | null = null
    const seconds = await secondsOf(async () => {
      directory = await LogDirectory.open(path, { log: oneSegment })
    })
    assert.ok(directory !== null, 'the directory was opened')
    const log = (directory as LogDirectory).log('bench', 0)
    const { scannedBytes, logStartOffset, logEndOffset, cut } = log.recoveryReport
    const content = await batchesHash(log)
    await (directory as LogDirectory).close()
    assert.equal(scannedBytes, sizeBytes, 'the whole segment was scanned')
    assert.equal(cut, null, 'nothing was cut')
    const hash = hashOfTexts(`${logStartOffset} ${logEndOffset}`, content)
    return { value: sizeBytes / 1e6 / seconds, hash }
  }
  return { name: 'LogDirectory.open', measure }
}

/**
 * What a killed process leaves behind: no marker, no digest; the checkpoint says how far it was.
 */
function makeUnclean(path: string, recoveryPoint: number): void {
  rmSync(`${path}/.kafka_cleanshutdown`, { force: true })
  rmSync(`${path}/${logName}/${segmentFile.replace('.log', '.digest')}`, { force: true })
  writeFileSync(`${path}/recovery-point-offset-checkpoint`, `0\n1\nbench 0 ${recoveryPoint}\n`)
}

function scanBarely(
  path: string,
  { sizeBytes }: PreparedBatches,
  records: number,
  isRewriting: boolean,
): Contender {
  const measure = async () => {
    const file = `${path}/${logName}/${segmentFile}`
    const descriptor = openSync(file, 'r+')
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    let position = 0
    let nextOffset = 0
    const seconds = await secondsOf(() => {
      for (;;) {
        const filled = readSync(descriptor, buffer, 0, chunkBytes, position)
        const scanned = scanChunk(buffer, filled)
        if (scanned.bytes === 0) break
        if (isRewriting) writeSync(descriptor, buffer, 0, scanned.bytes, position)
        position += scanned.bytes
        nextOffset += scanned.records
      }
      if (isRewriting) fdatasyncSync(descriptor)
    })
    closeSync(descriptor)
    assert.equal(position, sizeBytes, 'the whole file was read')
    assert.equal(nextOffset, records, 'all records are there')
    const hash = hashOfTexts(`0 ${nextOffset}`, bytesHashOfFiles([file]))
    return { value: sizeBytes / 1e6 / seconds, hash }
  }
  return {
    name: isRewriting
      ? 'bare readSync, CRC-32C of each batch, writeSync, fdatasync'
      : 'bare readSync, CRC-32C of each batch',
    measure,
  }
}

function scanChunk(buffer: Buffer, filled: number): { bytes: number; records: number } {
  let start = 0
  let records = 0
  while (filled - start >= 61) {
    const end = start + 12 + buffer.readInt32BE(start + 8)
    if (end > filled) break
    const checksum = crc32c(buffer.subarray(start + 21, end))
    assert.equal(checksum, buffer.readUInt32BE(start + 17), 'the checksum is right')
    records += buffer.readInt32BE(start + 57)
    start = end
  }
  return { bytes: start, records }
}
