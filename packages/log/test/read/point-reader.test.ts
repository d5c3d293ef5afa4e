import { type LogRecord, RecordBatchBuilder } from '@varve/record'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { CorruptLogError, OffsetOutOfRangeError } from '../../src/base/log-errors.ts'
import type { Log } from '../../src/log.ts'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import type { File, FileSystem } from '../../src/storage/file-system.ts'
import { nodeFileSystem } from '../../src/storage/node-file-system.ts'
import {
  batchOf,
  bytesAt,
  createLog,
  errorOf,
  fileOf,
  type Place,
  places,
  putBytes,
  range,
  realPlace,
  removePlace,
  reopenLog,
  simulatedPlace,
  TestProducer,
} from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

/** Values that tell their offset, so many bytes long, so many to a batch. */
async function append(log: Log, batches: ReadonlyArray<readonly [count: number, size: number]>) {
  for (const [count, size] of batches) {
    const start = log.logEndOffset
    const records = range(start, start + count).map((offset) => ({ value: textOf(offset, size) }))
    await log.appendBatch(batchOf(records), { acks: 'written' })
  }
}

function textOf(offset: number, size: number): string {
  return `${offset}:`.padEnd(size, '.')
}

function offsetIn(record: LogRecord | null): number {
  return Number.parseInt(record?.value?.toString() ?? '', 10)
}

/** What both ways of reading find at each offset of the log. */
async function expectAll(log: Log, offsets: Iterable<number>): Promise<void> {
  for (const offset of offsets) {
    const record = await log.readRecord(offset)
    expect([record?.offset, offsetIn(record)]).toEqual([offset, offset])
    const { batches } = await log.read({ from: offset, maxBytes: 1 })
    expect(batches).toHaveLength(1)
    expect(offsetIn(batches[0]?.records().find(offset) ?? null)).toBe(offset)
  }
}

/** Counts the calls of a file system that read. */
class CountingFileSystem {
  reads = 0
  readonly fs: FileSystem = {
    ...nodeFileSystem,
    open: (path, mode) => this.#counted(nodeFileSystem.open(path, mode)),
    stat: (path) => {
      this.reads++
      return nodeFileSystem.stat(path)
    },
  }

  #counted(file: File): File {
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'read' || name === 'readSync' || name === 'sizeBytes') this.reads++
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  }
}

describe.each(places)('reading at offsets on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test.each([
    ['one to a batch', 1, 100],
    ['ten to a batch', 10, 100],
    ['in batches larger than the distance of index entries', 20, 1000],
    ['in batches too large to be read at once', 3, 60_000],
  ])('finds every record: %s', async (_shape, count, size) => {
    place = makePlace()
    const { log } = await createLog(place, { segmentBytes: 200_000 })
    await append(
      log,
      range(0, Math.ceil(450_000 / count / size)).map(() => [count, size] as const),
    )
    expect(log.segmentCount).toBeGreaterThan(1)
    const step = Math.ceil(log.logEndOffset / 15)
    for (const start of [0, 0, 1]) {
      const offsets = range(0, 15).map((index) => start + index * step)
      await expectAll(
        log,
        offsets.filter((offset) => offset < log.logEndOffset),
      )
    }
    await expectAll(log, [0, log.logEndOffset - 1])
  })

  test('finds every record of batches of any sizes, again and again, and as the log grows', async () => {
    const sizes = fc.tuple(
      fc.integer({ min: 1, max: 8 }),
      fc.oneof(fc.integer({ min: 8, max: 200 }), fc.integer({ min: 2000, max: 9000 })),
    )
    const batches = fc.array(sizes, { minLength: 1, maxLength: 30 })
    await checkProperty(fc.tuple(batches, batches), 6, async ([first, second]) => {
      place = makePlace()
      const { directory, log } = await createLog(place, { segmentBytes: 80_000 })
      await append(log, first)
      await expectAll(log, range(0, log.logEndOffset))
      await append(log, second)
      await expectAll(log, range(0, log.logEndOffset))
      await expectAll(log, range(0, log.logEndOffset))
      await directory.close()
      const again = await reopenLog(place)
      await expectAll(again.log, range(0, again.log.logEndOffset))
      await again.directory.close()
      removePlace(place)
    })
  })

  test('gives no more than was asked for, and says where to go on', async () => {
    place = makePlace()
    const { log } = await createLog(place)
    await append(
      log,
      range(0, 50).map(() => [2, 100] as const),
    )
    const size = (await log.read({ from: 0, maxBytes: 1 })).batches[0]?.sizeBytes ?? 0
    const found = await log.read({ from: 41, maxBytes: 3 * size })
    expect(found.batches.map(({ baseOffset }) => baseOffset)).toEqual([40, 42, 44])
    expect(found).toMatchObject({ nextOffset: 46, logStartOffset: 0, highWatermark: 100 })
  })

  test('what was replaced by compaction is not found any more', async () => {
    place = makePlace()
    const { log } = await createLog(place)
    await append(
      log,
      range(0, 30).map(() => [1, 1000] as const),
    )
    await log.roll()
    await append(log, [[1, 10]])
    for (let round = 0; round < 3; round++) await expectAll(log, range(0, 31))
    const replaced = log.segments().slice(0, 1)
    const writer = new CleanedSegmentWriter(log.directory, 0, { fs: place.fs })
    for await (const batch of log.reader({ from: 0 })) {
      if (batch.baseOffset % 2 === 0 && batch.baseOffset < 30) await writer.append(batch)
    }
    await log.replaceSegments([await writer.finish(30)], replaced)
    for (let round = 0; round < 3; round++) {
      expect(await log.readRecord(7)).toBeNull()
      expect((await log.read({ from: 7, maxBytes: 1 })).batches[0]?.baseOffset).toBe(8)
      expect(offsetIn(await log.readRecord(8))).toBe(8)
    }
  })

  test('what was deleted is out of range', async () => {
    place = makePlace()
    const { log } = await createLog(place, { segmentBytes: 10_000 })
    await append(
      log,
      range(0, 60).map(() => [1, 1000] as const),
    )
    for (let round = 0; round < 3; round++) await expectAll(log, range(0, 60))
    await log.deleteSegmentsBefore(30)
    await errorOf(log.readRecord(7), OffsetOutOfRangeError)
    await errorOf(log.readRecord(29), OffsetOutOfRangeError)
    await expectAll(log, range(30, 60))
  })

  test('damage is told, each time', async () => {
    place = makePlace()
    const first = await createLog(place)
    await append(
      first.log,
      range(0, 40).map(() => [1, 1000] as const),
    )
    await first.directory.close()
    const path = `t-0/${fileOf(0)}`
    const bytes = bytesAt(place, path)
    // In the value of a record.
    bytes.writeUInt8(1, 20_000)
    putBytes(place, path, bytes)
    const { log } = await reopenLog(place)
    const damaged: number[] = []
    for (let round = 0; round < 2; round++) {
      for (const offset of range(0, 40)) {
        await log.readRecord(offset).catch((error: unknown) => {
          expect(error).toBeInstanceOf(CorruptLogError)
          damaged.push(offset)
        })
      }
    }
    expect(damaged).toHaveLength(2)
    expect(damaged[0]).toBe(damaged[1])
    const [bad = 0] = damaged
    await errorOf(log.read({ from: bad, maxBytes: 1 }), CorruptLogError)
    expect(await log.readRecord(bad, { verifyChecksums: false })).not.toBeNull()
    await errorOf(log.readRecord(bad), CorruptLogError)
  })
})

describe('a record that is read by its offset', () => {
  test('is whole, whatever it is made of', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    for (const compressionType of ['none', 'gzip', 'none', 'gzip'] as const) {
      const builder = new RecordBatchBuilder({ compressionType, defaultTimestamp: 5 })
      for (let index = 0; index < 20; index++) {
        const headers = [
          { key: 'h', value: `w${index}` },
          { key: '', value: null },
        ]
        builder.append({ key: `k${index}`, value: 'v'.repeat(400), headers })
        builder.append({ key: null, value: null })
      }
      await log.appendBatch(builder.build())
    }
    await log.roll()
    for (let round = 0; round < 4; round++) {
      for (const offset of range(0, 160)) {
        const record = await log.readRecord(offset)
        const isFull = offset % 2 === 0
        const index = (offset % 40) / 2
        expect(record).toMatchObject({ offset, timestamp: 5, sequence: -1 })
        expect(record?.key?.toString() ?? null).toBe(isFull ? `k${index}` : null)
        expect(record?.value?.length ?? null).toBe(isFull ? 400 : null)
        expect(record?.headers.map(({ value }) => value?.toString() ?? null)).toEqual(
          isFull ? [`w${index}`, null] : [],
        )
      }
    }
  })

  test('has memory of its own: changing it changes nothing for others', async () => {
    const { log } = await createLog(simulatedPlace())
    await append(
      log,
      range(0, 20).map(() => [3, 1000] as const),
    )
    await log.roll()
    for (let round = 0; round < 4; round++) {
      const record = await log.readRecord(31)
      expect(offsetIn(record)).toBe(31)
      record?.value?.fill(0)
      const { batches } = await log.read({ from: 31, maxBytes: 1 })
      batches[0]?.bytes.fill(0)
    }
  })

  test('is none where none can be read', async () => {
    const { log } = await createLog(simulatedPlace())
    const producer = new TestProducer(1)
    await log.appendBatch(producer.batch(3, { isTransactional: true }))
    await log.appendBatch(producer.marker('abort'), { origin: 'coordinator' })
    await log.appendBatch(producer.batch(2, { isTransactional: true }))
    await log.appendBatch(producer.marker('commit', 1), { origin: 'coordinator' })
    await log.appendBatch(producer.batch(1, { isTransactional: true }))
    const found = async (isolation: 'committed' | 'uncommitted') => {
      const records = await Promise.all(range(0, 9).map((at) => log.readRecord(at, { isolation })))
      return records.flatMap((record) => (record === null ? [] : [record.offset]))
    }
    expect(await found('uncommitted')).toEqual([0, 1, 2, 4, 5, 7])
    expect(await found('committed')).toEqual([4, 5])
    await errorOf(log.readRecord(9), OffsetOutOfRangeError)
  })

  test('takes one call of the system, then none', async () => {
    const place = realPlace()
    const counting = new CountingFileSystem()
    const { directory, log } = await createLog({ ...place, fs: counting.fs }, { segmentBytes: 1e6 })
    await append(
      log,
      range(0, 400).map(() => [100, 100] as const),
    )
    await log.settle()
    const offsets = range(0, 30).map((index) => index * 1200 + 55)
    for (const offset of offsets) await log.read({ from: offset, maxBytes: 1 })
    counting.reads = 0
    for (const offset of offsets) await log.read({ from: offset + 1, maxBytes: 1 })
    // And another one for each in the first batch of a segment, which has no index entry.
    expect(counting.reads).toBeLessThan(offsets.length + 4)
    for (let round = 0; round < 2; round++) await expectAll(log, offsets)
    counting.reads = 0
    for (const offset of offsets) await log.readRecord(offset + 1)
    // Those in the part of the active segment that may still grow are read each time.
    expect(counting.reads).toBeLessThan(3)
    await directory.close()
    removePlace(place)
  })

  test('needs no memory to be kept', async () => {
    const { log } = await createLog(
      simulatedPlace(),
      { segmentBytes: 50_000 },
      { readCacheBytes: 0 },
    )
    await append(
      log,
      range(0, 200).map(() => [2, 1000] as const),
    )
    for (let round = 0; round < 3; round++) await expectAll(log, range(0, 400))
  })
})

test('a loop of reads lets timers have their turn', async () => {
  const place = realPlace()
  const { directory, log } = await createLog(place, {}, { clock: systemClock })
  await append(
    log,
    range(0, 400).map(() => [10, 100] as const),
  )
  const single = async (): Promise<void> => void (await log.read({ from: 17, maxBytes: 1 }))
  const record = async (): Promise<void> => void (await log.readRecord(17))
  const reader = async (): Promise<void> => {
    for await (const batch of log.reader({ from: 0, maxBytes: 1000 })) {
      if (batch.baseOffset > 300) break
    }
  }
  for (const read of [single, record, reader]) {
    let timers = 0
    const count = (): void => {
      timers++
      timer = systemClock.setTimer(1, count)
    }
    let timer = systemClock.setTimer(1, count)
    const end = systemClock.monotonic() + 5000
    while (timers < 4 && systemClock.monotonic() < end) await read()
    timer.cancel()
    expect(timers).toBe(4)
  }
  await directory.close()
  removePlace(place)
})

test('beside the process that writes it, a log that was cut and written anew is read anew', async () => {
  const place = simulatedPlace()
  const first = await createLog(place)
  await append(
    first.log,
    range(0, 30).map(() => [1, 1000] as const),
  )
  const beside = await openLogReadOnly(`${place.path}/t-0`, { fs: place.fs })
  for (let round = 0; round < 3; round++) {
    expect(offsetIn(await beside.readRecord(20))).toBe(20)
    const { batches } = await beside.read({ from: 20, maxBytes: 1 })
    expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([20])
  }
  await first.log.flush()
  const path = `t-0/${fileOf(0)}`
  const bytes = bytesAt(place, path)
  await append(first.log, [[1, 1000]])
  const other = batchOf([{ value: 'another' }], { baseOffset: 30 })
  putBytes(place, path, Buffer.concat([bytes, other.bytes]))
  await first.log.close().catch(() => undefined)
  expect((await beside.readRecord(30))?.value?.toString()).toBe('another')
  expect(offsetIn(await beside.readRecord(20))).toBe(20)
  await beside.close()
})
