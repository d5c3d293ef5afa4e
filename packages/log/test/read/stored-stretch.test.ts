import { CorruptBatchError, readBatches } from '@varve/record'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Log } from '../../src/log.ts'
import type { StoredBytes } from '../../src/read/bytes-reader.ts'
import { batchOf, createLog, type Place, simulatedPlace } from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

const kib = 1024
const mib = 1024 * kib

async function deferred(log: Log, from: number, maxBytes = mib): Promise<StoredBytes> {
  return log.readBytes({ from, maxBytes, mayDefer: true })
}

/** All that was found, in parts of so many bytes. */
async function bytesOf({ pieces, stretch }: StoredBytes, partBytes = 100_000): Promise<Buffer> {
  if (stretch === null) return Buffer.concat([...pieces])
  expect(pieces).toEqual([])
  const all = Buffer.alloc(stretch.length)
  for (let at = 0; at < all.length; at += partBytes) {
    await stretch.read(all.subarray(at, at + partBytes), at)
  }
  return all
}

async function append(log: Log, ...sizes: readonly number[]): Promise<void> {
  for (const size of sizes) await log.appendBatch(batchOf([{ value: Buffer.alloc(size, 'x') }]))
}

function openFilesOf({ fs }: Place): readonly string[] {
  return 'openFiles' in fs ? (fs as { openFiles(): readonly string[] }).openFiles() : []
}

test('what is read later is what would have been read at once', async () => {
  const input = fc.record({
    kibs: fc.array(fc.constantFrom(1, 100, 300, 600, 1000), { minLength: 1, maxLength: 8 }),
    maxBytes: fc.integer({ min: 1, max: 3 * mib }),
    segmentBytes: fc.constantFrom(mib, 2 ** 30),
    isFirstWhole: fc.boolean(),
    partBytes: fc.integer({ min: 50_000, max: 2 * mib }),
  })
  await checkProperty(input, 40, async ({ kibs, maxBytes, segmentBytes, ...rest }) => {
    const { isFirstWhole, partBytes } = rest
    const { log } = await createLog(simulatedPlace(), { segmentBytes })
    await append(log, ...kibs.map((size) => size * kib))
    for (let from = 0; from < kibs.length; from++) {
      const limit = { from, maxBytes, isFirstWhole }
      const later = await log.readBytes({ ...limit, mayDefer: true })
      const now = await log.readBytes(limit)
      const bytes = await bytesOf(later, partBytes)
      expect(later.sizeBytes).toBe(bytes.length)
      expect(later.nextOffset - from).toBe([...readBatches(bytes)].length)
      // At once there may be small ones behind large ones.
      expect(later.sizeBytes > 0).toBe(now.sizeBytes > 0)
      expect(
        Buffer.concat([...now.pieces])
          .subarray(0, bytes.length)
          .equals(bytes),
      ).toBe(true)
    }
    await log.close()
  })
})

test('large batches are left where they are, and small ones are read', async () => {
  const { log } = await createLog(simulatedPlace())
  await append(log, 400 * kib, 400 * kib, 200 * kib, 300 * kib)
  expect((await deferred(log, 0)).nextOffset).toBe(2)
  expect((await deferred(log, 0)).stretch).not.toBeNull()
  expect((await deferred(log, 2)).stretch).toBeNull()
  const undeferred = await log.readBytes({ from: 0, maxBytes: mib })
  expect(undeferred).toMatchObject({ stretch: null, nextOffset: 3 })
  const whole = await log.readBytes({ from: 0, maxBytes: 1000, mayDefer: true })
  expect(whole).toMatchObject({ stretch: null, nextOffset: 1 })
})

test('a stretch that has begun to be read is read to its end, though its segment is deleted', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place, { segmentBytes: mib })
  await append(log, 600 * kib, 600 * kib, 600 * kib)
  const begun = await deferred(log, 0)
  const late = await deferred(log, 1)
  const expected = Buffer.concat([...(await log.readBytes({ from: 0, maxBytes: mib })).pieces])
  const first = Buffer.alloc(1000)
  await begun.stretch?.read(first, 0)
  await log.deleteSegmentsBefore(2)
  const rest = Buffer.alloc((begun.stretch?.length ?? 0) - 1000)
  await begun.stretch?.read(rest, 1000)
  expect(Buffer.concat([first, rest]).equals(expected)).toBe(true)
  expect(() => late.stretch?.read(first, 0)).toThrow(CorruptBatchError)
  await log.close()
  expect(openFilesOf(place).filter((path) => path.endsWith('00.log'))).toEqual([])
})

test('a file that was cut gives an error, and no bytes that are none', async () => {
  const place = simulatedPlace()
  const { log } = await createLog(place)
  await append(log, 600 * kib)
  const { stretch } = await deferred(log, 0)
  const file = place.fs.open(`${place.path}/t-0/00000000000000000000.log`, 'write')
  file.truncate(300 * kib)
  file.close()
  const target = Buffer.alloc(200 * kib)
  await stretch?.read(target, 0)
  expect(() => stretch?.read(target, 200 * kib)).toThrow('the file ends before the data')
  stretch?.close()
})

test('a closed stretch has let go of its file, also after the read that was under way', async () => {
  const place = simulatedPlace()
  const { log, directory } = await createLog(place, { segmentBytes: mib })
  await append(log, 900 * kib, 900 * kib)
  const { stretch } = await deferred(log, 0)
  // More than is read on the event loop.
  const reading = stretch?.read(Buffer.alloc(1500 * kib), 0)
  expect(reading).toBeInstanceOf(Promise)
  stretch?.close()
  stretch?.close()
  await expect(reading).rejects.toThrow(CorruptBatchError)
  await log.deleteSegmentsBefore(1)
  expect(openFilesOf(place).filter((path) => path.includes('0000.log'))).toEqual([])
  expect(() => stretch?.read(Buffer.alloc(1), 0)).toThrow(CorruptBatchError)
  await directory.close()
})

test('nothing is read when the directory is closed', async () => {
  const { log, directory } = await createLog(simulatedPlace())
  await append(log, 600 * kib)
  const { stretch } = await deferred(log, 0)
  await stretch?.read(Buffer.alloc(1000), 0)
  await directory.close()
  const error = (() => {
    try {
      return stretch?.read(Buffer.alloc(1000), 1000)
    } catch (caught) {
      return caught
    }
  })()
  expect(error).toBeInstanceOf(Error)
  stretch?.close()
})
