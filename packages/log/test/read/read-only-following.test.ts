import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import {
  LogClosedError,
  LogNotFoundError,
  OffsetOutOfRangeError,
} from '../../src/base/log-errors.ts'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import {
  appendValues,
  createLog,
  errorOf,
  fileOf,
  offsetsOf,
  putBytes,
  range,
  readAll,
  reopenLog,
  simulatedPlace,
  TestProducer,
} from '../log-fixture.ts'
import { compact, openReader } from './read-only-fixture.ts'

describe('a read-only log', () => {
  test('sees nothing beyond the high watermark', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    await log.flush()
    place.fs.holdFlushes()
    const appending = log.append({ value: 'v5', timestamp: 1005 })
    await expect.poll(() => place.fs.bytesOf(`/data/t-0/${fileOf(0)}`).includes('v5')).toBe(true)
    const reader = await openReader(place)
    expect(reader.highWatermark).toBe(5)
    expect(await offsetsOf(reader)).toEqual(range(0, 5))
    place.fs.resumeFlushes()
    await appending
    expect(await offsetsOf(reader)).toEqual(range(0, 5))
    await reader.refresh()
    expect(await offsetsOf(reader)).toEqual(range(0, 6))
    await reader.close()
    await directory.close()
  })

  test('follows over a crash of the writer and its recovery', async () => {
    const place = simulatedPlace()
    const first = await createLog(place, { acks: 'written' })
    await appendValues(first.log, 10, 5)
    const second = simulatedPlace(place.fs.fork())
    const reader = await openReader(second)
    expect(await offsetsOf(reader)).toEqual(range(0, 10))
    const { directory, log } = await reopenLog(second, { acks: 'written' })
    await reader.refresh()
    for (let end = 11; end < 40; end++) {
      await appendValues(log, 1)
      await reader.refresh()
      expect(reader.highWatermark).toBe(end)
      expect(await offsetsOf(reader)).toEqual(range(0, end))
    }
    await reader.close()
    await directory.close()
  })

  test('is told by a progress file of the same number of writes that it is another one', async () => {
    const place = simulatedPlace()
    const first = await createLog(place, { acks: 'written' })
    await appendValues(first.log, 5)
    const second = simulatedPlace(place.fs.fork())
    const reader = await openReader(second)
    const { directory, log } = await reopenLog(second, { acks: 'written' })
    await appendValues(log, 5)
    await reader.refresh()
    expect(reader.highWatermark).toBe(10)
    expect(await offsetsOf(reader)).toEqual(range(0, 10))
    await reader.close()
    await directory.close()
  })

  test('reads on from a log that recovery cut, and says so to who stood beyond its end', async () => {
    const place = simulatedPlace()
    const first = await createLog(place, { acks: 'written' })
    await appendValues(first.log, 10)
    const second = simulatedPlace(place.fs.fork())
    const reader = await openReader(second)
    const standing = reader.reader({ from: 10 })
    const file = second.fs.open(`/data/t-0/${fileOf(0)}`, 'write')
    file.truncate(file.sizeBytes() - 1)
    file.close()
    const { directory, log } = await reopenLog(second, { acks: 'written' })
    expect(log.recoveryReport.cut?.offset).toBe(9)
    await reader.refresh()
    await errorOf(standing.nextBatches(), OffsetOutOfRangeError)
    await log.append({ value: 'other' })
    await reader.refresh()
    expect((await readAll(reader)).at(-1)).toEqual({ offset: 9, value: 'other' })
    await reader.close()
    await directory.close()
  })

  test('gives committed records only, as the writer does', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    const transactional = { isTransactional: true }
    const coordinator = { origin: 'coordinator' } as const
    const reader = await openReader(place)
    const check = async (): Promise<void> => {
      await reader.refresh()
      const read = await reader.read({ from: log.logStartOffset, isolation: 'committed' })
      const own = await log.read({ from: log.logStartOffset, isolation: 'committed' })
      expect(read.lastStableOffset).toBe(own.lastStableOffset)
      expect(read.abortedTransactions).toEqual(own.abortedTransactions)
      const expected = await readAll(log, { isolation: 'committed' })
      expect(await readAll(reader, { isolation: 'committed' })).toEqual(expected)
      const late = await openReader(place)
      expect(await readAll(late, { isolation: 'committed' })).toEqual(expected)
      await late.close()
    }
    for (let round = 0; round < 3; round++) {
      await log.appendBatch(one.batch(2, transactional))
      await log.appendBatch(two.batch(1, transactional))
      await check()
      await log.appendBatch(one.marker('abort'), coordinator)
      await log.roll()
      await check()
      await log.appendBatch(two.batch(2, transactional))
      await log.appendBatch(two.marker(round === 1 ? 'abort' : 'commit'), coordinator)
      await appendValues(log, 2)
      await check()
    }
    // Long behind: everything that it has replayed is deleted.
    await appendValues(log, 3)
    await log.roll()
    await log.deleteSegmentsBefore(log.logEndOffset)
    await appendValues(log, 2)
    await check()
    await reader.close()
    await directory.close()
  })

  test('finds either all of the old or all of the new wherever a replacement stands', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const producer = new TestProducer(3)
    await log.appendBatch(producer.batch(2, { isTransactional: true }))
    await log.appendBatch(producer.marker('abort'), { origin: 'coordinator' })
    await appendValues(log, 27, 9)
    const start = place.fs.operations
    await compact(place, log, 0, 2, [
      { producerId: 3, firstOffset: 0, lastOffset: 2, lastStableOffset: 3 },
    ])
    const committed = [
      range(3, 30),
      range(3, 30).filter((offset) => offset % 2 === 0 || offset >= 21),
    ]
    for (let moment = start; moment <= place.fs.operations; moment++) {
      const left = simulatedPlace(place.fs.killState(moment))
      const reader = await openReader(left)
      expect(committed).toContainEqual(await offsetsOf(reader, { isolation: 'committed' }))
      expect((await reader.offsetForTimestamp(1026))?.offset).toBe(26)
      await reader.close()
    }
    await directory.close()
  })

  test('serves many committed readers at once', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const producer = new TestProducer(1)
    for (let round = 0; round < 30; round++) {
      await log.appendBatch(producer.batch(2, { isTransactional: true }))
      const type = round % 2 === 0 ? 'abort' : 'commit'
      await log.appendBatch(producer.marker(type), { origin: 'coordinator' })
    }
    const expected = await readAll(log, { isolation: 'committed' })
    const reader = await openReader(place)
    const reads = range(0, 10).map(() => readAll(reader, { isolation: 'committed' }))
    for (const found of await Promise.all(reads)) expect(found).toEqual(expected)
    await reader.close()
    await directory.close()
  })

  test('finds records by timestamp', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    const reader = await openReader(place)
    for (const [timestamp, offset] of [
      [0, 0],
      [1000, 0],
      [1015, 15],
      [1029, 29],
    ] as const) {
      expect((await reader.offsetForTimestamp(timestamp))?.offset).toBe(offset)
    }
    expect(await reader.offsetForTimestamp(1030)).toBeNull()
    await appendValues(log, 1)
    expect((await reader.offsetForTimestamp(1030))?.offset).toBe(30)
    await reader.close()
    await directory.close()
  })

  test.each([576, 577, 100_000])(
    'believes the first 576 bytes of a progress file of %i',
    async (size) => {
      const place = simulatedPlace()
      const { directory, log } = await createLog(place, { acks: 'written' })
      await appendValues(log, 10)
      const left = simulatedPlace(place.fs.fork())
      await directory.close()
      const progress = left.fs.bytesOf('/data/t-0/progress')
      const padded = Buffer.alloc(size, 0xff)
      progress.copy(padded)
      if (progress.length < 576) padded.fill(0, progress.length, 576)
      putBytes(left, 't-0/progress', padded)
      const reader = await openReader(left)
      expect(await offsetsOf(reader)).toEqual(range(0, 10))
      await reader.close()
      const reopened = await reopenLog(left)
      expect(await offsetsOf(reopened.log)).toEqual(range(0, 10))
      await reopened.directory.close()
    },
  )

  test('refuses what is not a log directory, and options out of range', async () => {
    const place = simulatedPlace()
    const { directory } = await createLog(place)
    await errorOf(openLogReadOnly('/data/u-0', { fs: place.fs }), LogNotFoundError)
    await errorOf(openLogReadOnly(`/data/t-0/${fileOf(0)}`, { fs: place.fs }), LogNotFoundError)
    for (const options of [{ pollMs: 0 }, { pollMs: 1e9 }, { openFilesMax: 0 }]) {
      await errorOf(openReader(place, options), InvalidArgumentError)
    }
    await directory.close()
  })

  test('rejects everything once it is closed, and leaves no file open', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 5)
    await directory.close()
    const reader = await openReader(place)
    const standing = reader.reader({ from: 0, follow: true })
    await readAll(reader)
    await reader.close()
    await errorOf(reader.read({ from: 0 }), LogClosedError)
    await errorOf(reader.refresh(), LogClosedError)
    await errorOf(reader.offsetForTimestamp(0), LogClosedError)
    await errorOf(standing.nextBatches(), LogClosedError)
    expect(place.fs.openFiles()).toEqual([])
  })

  test('says that the log is gone when it was deleted', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    const reader = await openReader(place)
    await directory.deleteLog('t', 0)
    await errorOf(reader.refresh(), LogNotFoundError)
    await reader.close()
    await directory.close()
  })

  test('keeps no more files open than it was told', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 60, 3)
    await directory.close()
    const reader = await openReader(place, { openFilesMax: 4 })
    await readAll(reader)
    expect(place.fs.openFiles().length).toBeLessThanOrEqual(4)
    await reader.close()
  })
})
