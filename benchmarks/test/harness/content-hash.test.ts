import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogDirectory } from '@varve/log'
import { RecordBatchBuilder } from '@varve/record'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  batchesHash,
  bytesHashOfFiles,
  contentHash,
  contentHashInTurns,
  contentHashOfFiles,
  hashInTurns,
  segmentFilesIn,
} from '../../src/harness/content-hash.ts'
import { type PayloadRecord, payloadOf } from '../../src/harness/payload.ts'
import { ResultHash } from '../../src/harness/result-hash.ts'

const { records } = payloadOf(100, 300)
let path = ''

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'varve-content-'))
})

afterEach(() => {
  rmSync(path, { recursive: true, force: true })
})

/** What the hashes say of a log of these records, in batches of ten. */
async function hashesOf(name: string, given: readonly PayloadRecord[], segmentBytes = 2 ** 20) {
  const options = { log: { acks: 'written', segmentBytes } } as const
  await using directory = await LogDirectory.open(`${path}/${name}`, options)
  const log = await directory.createLog('bench', 0)
  for (let at = 0; at < given.length; at += 10) {
    const builder = new RecordBatchBuilder({ defaultTimestamp: 1_790_000_000_000 })
    for (const record of given.slice(at, at + 10)) builder.append(record)
    await log.appendBatch(builder.build())
  }
  await log.flush()
  const files = segmentFilesIn(`${path}/${name}/bench-0`)
  return {
    content: await contentHash(log),
    batches: await batchesHash(log),
    inTurns: await contentHashInTurns([log]),
    ofFiles: contentHashOfFiles(files),
    bytes: bytesHashOfFiles(files),
    files: files.length,
  }
}

/** The same records, but for one byte of one value. */
function withOneByteChanged(): readonly PayloadRecord[] {
  return records.map((record, index) => {
    if (index !== 217) return record
    const bytes = Buffer.from(record.bytes)
    bytes.writeUInt8(bytes.readUInt8(50) ^ 1, 50)
    return { key: bytes.subarray(0, 12), value: bytes.subarray(12), bytes }
  })
}

test('the same records have the same hash twice, read by the engine or without it', async () => {
  const [first, second] = [await hashesOf('first', records), await hashesOf('second', records)]
  expect(second).toEqual(first)
  expect(first.ofFiles).toBe(first.content)
  expect(first.bytes).toBe(first.batches)
  expect(first.inTurns).toBe(hashInTurns(records))
})

test('one byte that differs changes every hash', async () => {
  const [one, other] = [
    await hashesOf('one', records),
    await hashesOf('other', withOneByteChanged()),
  ]
  for (const kind of ['content', 'batches', 'inTurns', 'ofFiles', 'bytes'] as const) {
    expect(other[kind], kind).not.toBe(one[kind])
  }
  expect(hashInTurns(withOneByteChanged())).not.toBe(hashInTurns(records))
})

test('records that are missing, or in another order, change the hash', async () => {
  const { content } = await hashesOf('all', records)
  expect((await hashesOf('fewer', records.slice(0, 290))).content).not.toBe(content)
  expect((await hashesOf('turned', records.toReversed())).content).not.toBe(content)
})

test('where segments end does not count', async () => {
  const [one, many] = [await hashesOf('one', records), await hashesOf('many', records, 4_096)]
  expect(many.files).toBeGreaterThan(one.files)
  expect({ ...many, files: 0 }).toEqual({ ...one, files: 0 })
})

test('records spread over partitions by turns have the hash of one partition', async () => {
  const options = { log: { acks: 'written' } } as const
  await using directory = await LogDirectory.open(`${path}/spread`, options)
  const logs = [
    await directory.createLog('bench', 0),
    await directory.createLog('bench', 1),
    await directory.createLog('bench', 2),
  ]
  for (const [index, record] of records.slice(0, 100).entries()) {
    await logs[index % logs.length]?.append(record)
  }
  expect(await contentHashInTurns(logs)).toBe(hashInTurns(records.slice(0, 100)))
})

test('a file that was damaged, or ends within a batch, has no hash', async () => {
  await hashesOf('damaged', records)
  const [file = ''] = segmentFilesIn(`${path}/damaged/bench-0`)
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.subarray(0, bytes.length - 1))
  expect(() => contentHashOfFiles([file])).toThrow('ends within a batch')
  bytes.writeUInt8(bytes.readUInt8(500) ^ 1, 500)
  writeFileSync(file, bytes)
  expect(() => contentHashOfFiles([file])).toThrow('CRC-32C')
})

test('how bytes are cut into pieces does not count, how many there are does', () => {
  const bytes = Buffer.concat(records.map((record) => record.bytes))
  const whole = new ResultHash().add(bytes).value
  for (const size of [7, 1_000, 5_000]) {
    const pieces = new ResultHash()
    for (let at = 0; at < bytes.length; at += size) pieces.add(bytes.subarray(at, at + size))
    expect(pieces.value).toBe(whole)
  }
  expect(new ResultHash().add(bytes.subarray(1)).value).not.toBe(whole)
})
