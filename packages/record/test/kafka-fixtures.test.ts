import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Batch, type LogRecord, readBatches } from '../src/index.ts'

/** Partition directories that Kafka wrote, and what its own readers say of them. */
const fixtures = join(import.meta.dirname, '../../../../shared/fixtures')
const suffix = '.expected.jsonl'
const names = existsSync(fixtures)
  ? readdirSync(fixtures).flatMap((name) =>
      name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : [],
    )
  : []

/** Values longer than this stand in the expectations as their length and SHA-256. */
const digestedBytes = 256

describe('files that Kafka wrote', () => {
  if (names.length === 0) {
    test('are read where they are present', (context) => {
      context.skip(`there is no ${fixtures}`)
    })
    return
  }

  test.each(names)('%s decodes to exactly the batches and records that Kafka reads', (name) => {
    const directory = join(fixtures, name)
    const logs = readdirSync(directory)
      .filter((file) => file.endsWith('.log'))
      .sort()
    const read = logs.flatMap((file) => readLog(join(directory, file), file))
    const expected = readExpected(`${directory}${suffix}`).filter(({ type }) => {
      return type === 'batch' || type === 'log'
    })
    expect(expected.length).toBeGreaterThan(1)
    expect(read).toEqual(expected)
  })
})

function readExpected(path: string): { readonly type: string }[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

function readLog(path: string, file: string): unknown[] {
  const bytes = readFileSync(path)
  const batches = [...readBatches(bytes)]
  for (const batch of batches) batch.validate()
  const described = batches.map((batch) => describeBatch(batch, file))
  const validBytes = batches.reduce((sum, batch) => sum + batch.sizeBytes, 0)
  const records = described.reduce((sum, batch) => sum + batch.records.length, 0)
  const summary = {
    file,
    type: 'log',
    bytes: bytes.length,
    validBytes,
    batches: batches.length,
    records,
    stop: 'eof',
  }
  return [...described, summary]
}

function describeBatch(batch: Batch, file: string) {
  return {
    file,
    type: 'batch',
    position: batch.position,
    size: batch.sizeBytes,
    magic: batch.magic,
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    count: batch.count,
    leaderEpoch: batch.leaderEpoch,
    codec: batch.compressionType,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    transactional: batch.isTransactional,
    control: batch.isControl,
    deleteHorizon: batch.deleteHorizon,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    records: [...batch.records()].map(describeRecord),
  }
}

function describeRecord(record: LogRecord) {
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    sequence: record.sequence,
    key: describeBytes(record.key),
    value: describeBytes(record.value),
    headers: record.headers.map(({ key, value }) => {
      return [Buffer.from(key).toString('base64'), describeBytes(value)]
    }),
  }
}

function describeBytes(bytes: Buffer | null): unknown {
  if (bytes === null) return null
  if (bytes.length <= digestedBytes) return bytes.toString('base64')
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
