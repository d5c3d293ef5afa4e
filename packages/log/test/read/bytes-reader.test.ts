import { readBatches } from '@varve/record'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptLogError, OffsetOutOfRangeError } from '../../src/base/log-errors.ts'
import type { Log } from '../../src/log.ts'
import type { ReadBytesOptions, StoredBytes } from '../../src/read/bytes-reader.ts'
import {
  appendValues,
  batchOf,
  bytesAt,
  createLog,
  putBytes,
  reopenLog,
  simulatedPlace,
  TestProducer,
} from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

async function readFrom(log: Log, options: ReadBytesOptions): Promise<StoredBytes> {
  return log.readBytes(options)
}

function offsetsIn({ pieces }: StoredBytes): number[] {
  return [...readBatches(Buffer.concat([...pieces]))].map(({ baseOffset }) => baseOffset)
}

test('what is read is what a reader reads, wherever it begins and however much it takes', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 30 })
  const input = fc.record({
    sizes,
    from: fc.nat({ max: 29 }),
    maxBytes: fc.integer({ min: 1, max: 200_000 }),
    segmentBytes: fc.constantFrom(50_000, 100_000, 2 ** 30),
    isTailKept: fc.boolean(),
  })
  await checkProperty(input, 60, async ({ sizes, from, maxBytes, segmentBytes, isTailKept }) => {
    const { log } = await createLog(simulatedPlace(), { segmentBytes, indexIntervalBytes: 1000 })
    const drop = isTailKept ? log.keepTail() : () => undefined
    for (const size of sizes) await log.appendBatch(batchOf([{ value: Buffer.alloc(size, 7) }]))
    const start = from % sizes.length
    const read: number[] = []
    let next = start
    while (next < log.highWatermark) {
      const found = await readFrom(log, { from: next, maxBytes })
      expect(found.sizeBytes).toBe(found.pieces.reduce((sum, { length }) => sum + length, 0))
      const offsets = offsetsIn(found)
      expect(offsets.length).toBeGreaterThan(0)
      if (offsets.length > 1) expect(found.sizeBytes).toBeLessThanOrEqual(maxBytes)
      read.push(...offsets)
      next = found.nextOffset
    }
    expect(read).toEqual(sizes.slice(start).map((_, index) => start + index))
    expect((await readFrom(log, { from: next, maxBytes })).pieces).toEqual([])
    drop()
    await log.close()
  })
})

test('the first batch comes whole, unless that is not wanted', async () => {
  const { log } = await createLog(simulatedPlace())
  await log.appendBatch(batchOf([{ value: Buffer.alloc(300_000) }, { value: 'b' }]))
  expect(offsetsIn(await readFrom(log, { from: 1, maxBytes: 10 }))).toEqual([0])
  const none = await readFrom(log, { from: 0, maxBytes: 10, isFirstWhole: false })
  expect(none).toMatchObject({ sizeBytes: 0, nextOffset: 0 })
})

test('of a batch that does not fit only the start is read', async () => {
  const { log } = await createLog(simulatedPlace())
  for (let count = 0; count < 3; count++) {
    await log.appendBatch(batchOf([{ value: Buffer.alloc(200_000) }]))
  }
  const asked: number[] = []
  const memory = (sizeBytes: number): Buffer => {
    asked.push(sizeBytes)
    return Buffer.alloc(sizeBytes)
  }
  for (const from of [0, 1]) {
    const options = { from, isFirstWhole: false, memory }
    expect(await readFrom(log, { ...options, maxBytes: 150_000 })).toMatchObject({ pieces: [] })
    expect(asked).toEqual([])
    expect(offsetsIn(await readFrom(log, { ...options, maxBytes: 250_000 }))).toEqual([from])
    expect(asked.splice(0)).toHaveLength(1)
  }
})

test('what does not fit is not read, also where only the index says where it begins', async () => {
  const { log } = await createLog(simulatedPlace(), { indexIntervalBytes: 1000 })
  for (let count = 0; count < 4; count++) {
    await log.appendBatch(batchOf([{ value: Buffer.alloc(200_000) }]))
  }
  const memory = (): Buffer => {
    throw new Error('it is read')
  }
  for (const from of [3, 2, 1]) {
    const options = { from, isFirstWhole: false, memory, maxBytes: 150_000 }
    expect(await readFrom(log, options)).toMatchObject({ pieces: [], nextOffset: from })
  }
})

test('batches of a MiB are read at once, unless a disk has kept the loop waiting', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place)
  for (let count = 0; count < 3; count++) {
    await log.appendBatch(batchOf([{ value: Buffer.alloc(900_000) }]))
  }
  const options = { from: 1, maxBytes: 2 ** 20 }
  expect(log.readBytes(options)).not.toBeInstanceOf(Promise)
  expect(offsetsIn(await readFrom(log, { from: 0, maxBytes: 4 * 2 ** 20 }))).toEqual([0, 1, 2])
  expect(log.readBytes({ from: 0, maxBytes: 4 * 2 ** 20 })).toBeInstanceOf(Promise)
})

test('what is in memory is read at once', async () => {
  const { log } = await createLog(simulatedPlace())
  log.keepTail()
  for (let count = 0; count < 5; count++) await log.append({ value: Buffer.alloc(100_000) })
  const found = log.readBytes({ from: 1, maxBytes: 250_000 })
  expect(found).not.toBeInstanceOf(Promise)
  expect(offsetsIn(await found)).toEqual([1, 2])
})

test('committed reading ends at the first open transaction, and names the aborted ones', async () => {
  const { log } = await createLog(simulatedPlace())
  const [aborted, open] = [new TestProducer(1), new TestProducer(2)]
  await log.appendBatch(aborted.batch(2, { isTransactional: true }))
  await log.appendBatch(aborted.marker('abort'), { origin: 'coordinator' })
  await log.append({ value: 'plain', timestamp: 1000 })
  await log.appendBatch(open.batch(1, { isTransactional: true }))
  await log.append({ value: 'behind', timestamp: 1000 })
  const committed = await readFrom(log, { from: 0, maxBytes: 2 ** 20, isolation: 'committed' })
  expect(offsetsIn(committed)).toEqual([0, 2, 3])
  expect(committed.abortedTransactions).toMatchObject([{ producerId: 1, firstOffset: 0 }])
  const at = await readFrom(log, { from: 4, maxBytes: 2 ** 20, isolation: 'committed' })
  expect(at.sizeBytes).toBe(0)
  expect(offsetsIn(await readFrom(log, { from: 3, maxBytes: 2 ** 20 }))).toEqual([3, 4, 5])
})

test('offsets that the log does not have are refused', async () => {
  const { log } = await createLog(simulatedPlace())
  await appendValues(log, 4, 2)
  await log.deleteSegmentsBefore(2)
  const read = (from: number) => readFrom(log, { from, maxBytes: 1000 })
  await expect(read(1)).rejects.toThrow(OffsetOutOfRangeError)
  await expect(read(5)).rejects.toThrow(OffsetOutOfRangeError)
  expect(offsetsIn(await read(2))).toEqual([2, 3])
})

test('an index that leads astray is not believed, and damage is told', async () => {
  const place = simulatedPlace()
  const first = await createLog(place, { indexIntervalBytes: 1, segmentBytes: 2 ** 20 })
  await appendValues(first.log, 20, 10)
  await first.directory.close()
  const name = 't-0/00000000000000000000'
  const index = bytesAt(place, `${name}.index`)
  // Every entry leads to the position of the one behind it.
  for (let at = 0; at + 8 < index.length; at += 8) index.copy(index, at + 4, at + 12, at + 16)
  putBytes(place, `${name}.index`, index)
  const second = await reopenLog(place)
  for (let from = 0; from < 20; from++) {
    const found = await readFrom(second.log, { from, maxBytes: 1 })
    expect(offsetsIn(found)).toEqual([from])
  }
  await second.directory.close()
  const bytes = bytesAt(place, `${name}.log`)
  bytes.writeInt32BE(2 ** 30, 8)
  putBytes(place, `${name}.log`, bytes)
  const third = await reopenLog(place)
  await expect(readFrom(third.log, { from: 0, maxBytes: 1000 })).rejects.toThrow(CorruptLogError)
  await third.directory.close()
})

test('whoever watches is told of every step, and of the end', async () => {
  const { log } = await createLog(simulatedPlace())
  const steps: number[] = []
  log.watch((moreBytes) => steps.push(moreBytes))
  const unwatch = log.watch(() => expect.fail('nobody watches any more'))
  unwatch()
  await log.append({ value: 'a' })
  const first = log.sizeBytes
  await log.append({ value: 'b' })
  expect(steps).toEqual([first, log.sizeBytes - first])
  await log.close()
  expect(steps.at(-1)).toBe(0)
})

test('what is read from files lies in the memory that was given for it', async () => {
  for (const size of [20_000, 200_000]) {
    const { log } = await createLog(simulatedPlace())
    for (let count = 0; count < 4; count++) {
      await log.appendBatch(batchOf([{ value: Buffer.alloc(size, count) }]))
    }
    const given: Buffer[] = []
    const memory = (sizeBytes: number): Buffer => {
      given.push(Buffer.alloc(2 * sizeBytes))
      return given.at(-1) as Buffer
    }
    const options = { from: 1, maxBytes: 3 * size }
    const { pieces } = await readFrom(log, { ...options, memory })
    const buffers = new Set(given.map(({ buffer }) => buffer))
    expect(pieces.every(({ buffer }) => buffers.has(buffer))).toBe(true)
    const plain = await readFrom(log, options)
    expect(Buffer.concat([...pieces]).equals(Buffer.concat([...plain.pieces]))).toBe(true)
    await log.close()
  }
})
