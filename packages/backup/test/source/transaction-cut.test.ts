import { type Log, openLogReadOnly } from '@varve/log'
import { endTransactionMarkerBatch, RecordBatchBuilder } from '@varve/record'
import { beforeEach, describe, expect, test } from 'vitest'
import type { SegmentSnapshot } from '../../src/source/source-snapshot.ts'
import {
  cutSnapshot,
  decidedEnd,
  stableEnd,
  TransactionTimes,
} from '../../src/source/transaction-cut.ts'
import { dataPath, Machine } from '../backup-fixture.ts'

const [ongoing, prepared, complete] = [1, 2, 4]

/** Kafka's TransactionLogValue of a transaction in t-0 and t-1. */
function value(producerId: number, status: number, ms: number, version = 0): Buffer {
  const head = Buffer.alloc(17)
  head.writeInt16BE(version)
  head.writeBigInt64BE(BigInt(producerId), 2)
  head.writeInt8(status, 16)
  const times = Buffer.alloc(16)
  times.writeBigInt64BE(BigInt(ms))
  if (version === 0) {
    const topic = [0, 0, 0, 1, 0, 1, 't'.charCodeAt(0), 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]
    return Buffer.concat([head, Buffer.from(topic), times])
  }
  const topic = [2, 2, 't'.charCodeAt(0), 3, 0, 0, 0, 0, 0, 0, 0, 1, 0]
  return Buffer.concat([head, Buffer.from(topic), times, Buffer.from([1, 0, 8]), Buffer.alloc(8)])
}

let machine: Machine
let transactions: Log
let log: Log

beforeEach(async () => {
  machine = new Machine()
  const directory = await machine.openData()
  transactions = await directory.createLog('__transaction_state', 0)
  log = await directory.createLog('t', 0)
})

async function times(...values: readonly Buffer[]): Promise<TransactionTimes> {
  for (const bytes of values) await transactions.append({ key: 'id', value: bytes })
  const found = new TransactionTimes()
  await using read = await reading('__transaction_state-0')
  await found.read(read, values.length)
  return found
}

const reading = (name: string) => openLogReadOnly(`${dataPath}/${name}`, { fs: machine.fs })
const sequences = new Map<number, number>()

async function send(producerId: number): Promise<void> {
  const baseSequence = sequences.get(producerId) ?? 0
  const isNew = log.producers().every((known) => known.producerId !== producerId)
  const sequence = isNew ? 0 : baseSequence
  sequences.set(producerId, sequence + 1)
  const options = { producerId, producerEpoch: 0, baseSequence: sequence, isTransactional: true }
  await log.appendBatch(new RecordBatchBuilder(options).append({ value: 'x' }).build())
}

async function mark(producerId: number, timestamp: number): Promise<void> {
  const marker = { type: 'commit' as const, producerId, producerEpoch: 0, coordinatorEpoch: 0 }
  const batch = endTransactionMarkerBatch({ ...marker, timestamp })
  await log.appendBatch(batch, { origin: 'coordinator' })
}

async function endOf(find: typeof stableEnd, from: number, known: TransactionTimes) {
  await using read = await reading('t-0')
  return await find({ log: read, from, end: read.highWatermark, times: known })
}

describe('what a transaction log says', () => {
  test.each([0, 1])('is when each producer changed last, of values of version %i', async (v) => {
    const known = await times(value(7, ongoing, 100, v), value(7, prepared, 200, v))
    expect([known.isDecided(7, 200), known.isDecided(7, 201)]).toEqual([true, false])
    expect(known.carriedOut(7)).toEqual({ ms: 200, in: new Set(['t-0', 't-1']) })
    expect([known.isDecided(8, 0), known.carriedOut(8)]).toEqual([false, null])
  })

  test('is nothing where values are damaged or of other versions', async () => {
    const long = value(7, prepared, 200, 1)
    const cut = Array.from({ length: 33 }, (_, size) => long.subarray(0, size))
    const known = await times(...cut, value(7, prepared, 200, 2), Buffer.alloc(40, 0xff))
    expect(known.carriedOut(7)).toBeNull()
    expect(known.isDecided(7, 200)).toBe(false)
  })

  test('ends where it was looked at', async () => {
    const known = await times(value(7, ongoing, 100))
    await transactions.append({ value: value(7, prepared, 200) })
    expect(known.isDecided(7, 200)).toBe(false)
  })
})

describe('a partition', () => {
  test('ends before the first marker of a later decision, not before open transactions', async () => {
    const known = await times(value(7, complete, 201), value(8, ongoing, 300))
    for (const producerId of [7, 8]) await send(producerId)
    await mark(7, 200)
    await send(7)
    await send(8)
    expect(await endOf(stableEnd, 0, known)).toBe(5)
    await mark(8, 301)
    await mark(7, 400)
    expect(await endOf(stableEnd, 0, known)).toBe(5)
    // What was there before is not looked at.
    expect(await endOf(stableEnd, 6, known)).toBe(6)
    expect(await endOf(stableEnd, 7, known)).toBe(7)
  })

  test('of committed offsets ends where it was, with what is decided since', async () => {
    const known = await times(value(7, prepared, 200), value(8, complete, 301))
    await log.append({ value: 'before' })
    await send(7)
    await send(8)
    await mark(8, 300)
    await log.append({ value: 'after' })
    expect(await endOf(decidedEnd, 1, known)).toBe(4)
    expect(await endOf(decidedEnd, 5, known)).toBe(5)
    // Its own decision is being carried out: the marker may be younger than the look.
    await mark(7, 200)
    await send(7)
    await send(8)
    expect(await endOf(decidedEnd, 1, known)).toBe(4)
    // What comes after that would be carried out with it.
    expect(await endOf(stableEnd, 1, known)).toBe(6)
  })

  test('ends before records that would be carried out with what is, wherever its marker is', async () => {
    const known = await times(value(7, prepared, 200))
    await send(7)
    await mark(7, 200)
    const many = Array.from({ length: 300 }, () => ({ value: 'x' }))
    for (let count = 0; count < 100; count++) await log.append(many)
    const end = 30_002
    await send(7)
    expect(await endOf(stableEnd, end, known)).toBe(end)
    expect(await endOf(decidedEnd, end, known)).toBe(end)
    const elsewhere = new TransactionTimes()
    await transactions.append({ key: 'id', value: value(7, prepared, 300) })
    await using read = await reading('__transaction_state-0')
    await elsewhere.read(read, 2)
    // Of the one that is being carried out itself.
    expect(await endOf(stableEnd, end, elsewhere)).toBe(end + 1)
    expect(await endOf(decidedEnd, end, elsewhere)).toBe(end + 1)
  })

  test('of committed offsets has those of what is being carried out', async () => {
    const known = await times(value(7, prepared, 200))
    await log.append({ value: 'before' })
    await send(7)
    await log.append({ value: 'after' })
    expect(await endOf(decidedEnd, 1, known)).toBe(2)
    await mark(7, 200)
    await send(7)
    await mark(7, 300)
    expect(await endOf(decidedEnd, 1, known)).toBe(2)
    // Nor of what comes after several.
    await send(7)
    expect(await endOf(decidedEnd, 1, known)).toBe(2)
    await mark(7, 400)
    expect(await endOf(decidedEnd, 4, known)).toBe(4)
  })
})

test('a snapshot is cut within a segment, which is not sealed then, or between two', () => {
  const segment = (baseOffset: number, nextOffset: number): SegmentSnapshot => ({
    ...{ baseOffset, nextOffset, sizeBytes: 10, isSealed: true, fileId: 1, modifiedMs: 1 },
    ...{ path: '/x', sourcePath: '/x' },
  })
  const partition = {
    ...{ topic: 't', partition: 0, topicId: null, logStartOffset: 0, endOffset: 20, files: [] },
    segments: [segment(0, 10), segment(10, 20)],
  }
  expect(cutSnapshot(partition, 20)).toBe(partition)
  expect(cutSnapshot(partition, 10)).toMatchObject({
    endOffset: 10,
    segments: [{ isSealed: true }],
  })
  const within = cutSnapshot(partition, 15)
  expect(within.segments).toMatchObject([
    { isSealed: true },
    { isSealed: false, nextOffset: 15, sizeBytes: 10 },
  ])
  expect(cutSnapshot({ ...partition, segments: [] }, 0)).toMatchObject({ endOffset: 0 })
})
