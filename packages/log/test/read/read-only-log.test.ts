import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError } from '@varve/record'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import {
  LogClosedError,
  LogNotFoundError,
  OffsetOutOfRangeError,
} from '../../src/base/log-errors.ts'
import type { Log } from '../../src/log.ts'
import { LogDirectory } from '../../src/log-directory.ts'
import type { ReadOnlyLogOptions } from '../../src/read/followed-source.ts'
import { openLogReadOnly, type ReadOnlyLog } from '../../src/read/read-only-log.ts'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'
import {
  appendValues,
  createLog,
  errorOf,
  fileOf,
  namesIn,
  offsetsOf,
  type Place,
  places,
  putBytes,
  range,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  TestProducer,
  values,
} from '../log-fixture.ts'

function openReader(place: Place, options: ReadOnlyLogOptions = {}): Promise<ReadOnlyLog> {
  return openLogReadOnly(`${place.path}/t-0`, { fs: place.fs, ...options })
}

type Aborted = Parameters<CleanedSegmentWriter['addAbortedTransaction']>[0]

/** Leaves only even offsets in the sealed segments from index `from` to before `to`. */
async function compact(
  place: Place,
  log: Log,
  from: number,
  to: number,
  aborted: readonly Aborted[] = [],
): Promise<void> {
  const replaced = log.segments().slice(from, to)
  const base = replaced[0]?.baseOffset ?? 0
  const end = replaced.at(-1)?.nextOffset ?? 0
  const writer = new CleanedSegmentWriter(log.directory, base, { fs: place.fs })
  for await (const batch of log.reader({ from: base })) {
    if (batch.baseOffset >= end) break
    if (batch.baseOffset % 2 === 0) await writer.append(batch)
  }
  for (const transaction of aborted) writer.addAbortedTransaction(transaction)
  await log.replaceSegments([await writer.finish(end)], replaced)
}

describe.each(places)('a read-only log on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('reads beside a live writer what is visible, and more when it looks again', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 25, 10)
    const reader = await openReader(place)
    expect(reader.name).toBe('t-0')
    expect(reader.highWatermark).toBe(25)
    expect(await readAll(reader)).toEqual(values(0, 25))
    await appendValues(log, 20, 10)
    expect((await reader.read({ from: 25 })).highWatermark).toBe(45)
    expect(await readAll(reader)).toEqual(values(0, 45))
    // How late the records of the growing one are is not looked for every time.
    const others = log.segments().slice(0, -1)
    const last = { ...log.segments().at(-1), maxTimestamp: expect.any(Number) }
    expect(reader.segments()).toEqual([...others, last])
    const places = reader.segments().map(({ maxTimestamp: _, ...place }) => place)
    expect(reader.segmentPlaces()).toEqual(places)
    const fresh = await openReader(place)
    expect(fresh.segments()).toEqual(log.segments())
    await fresh.close()
    await reader.close()
    await directory.close()
  })

  test('takes no lock and changes nothing', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 25, 10)
    await directory.close()
    const before = namesIn(place)
    const reader = await openReader(place)
    expect(await readAll(reader)).toEqual(values(0, 25))
    const again = await reopenLog(place)
    expect(await readAll(reader)).toEqual(values(0, 25))
    await reader.close()
    await again.directory.close()
    expect(namesIn(place)).toEqual(before)
  })

  test('a log that was deleted and made anew is another one, not the rest of this', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    const reader = await openReader(place, { pollMs: 1 })
    await using following = reader.reader({ from: 0, follow: true })
    for (let index = 0; index < 5; index++) await following.next()
    await directory.deleteLog('t', 0)
    const other = await directory.createLog('t', 0)
    await appendValues(other, 9)
    await errorOf(following.next(), LogNotFoundError)
    await errorOf(reader.refresh(), LogNotFoundError)
    await reader.close()
    await directory.close()
  })

  test('knows the last stable offset once it has looked for it', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    const reader = await openReader(place)
    await reader.refresh('committed')
    expect(reader.lastStableOffset).toBe(5)
    const producer = new TestProducer(7)
    await log.appendBatch(producer.batch(2, { isTransactional: true }))
    await appendValues(log, 3)
    await reader.refresh('committed')
    expect([reader.lastStableOffset, reader.highWatermark]).toEqual([5, 10])
    await reader.close()
    await directory.close()
  })

  test('follows the tail through rolls and deletions', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 5)
    const reader = await openReader(place, { pollMs: 1 })
    const end = new AbortController()
    const seen: number[] = []
    const following = (async () => {
      for await (const record of reader
        .reader({ from: 0, follow: true, signal: end.signal })
        .records()) {
        seen.push(record.offset)
        if (seen.length === 60) end.abort()
      }
    })()
    for (let round = 0; round < 11; round++) {
      await appendValues(log, 5)
      await log.roll()
      await expect.poll(() => seen.length, { interval: 1 }).toBe(log.logEndOffset)
      if (round % 3 === 2) await log.deleteSegmentsBefore(log.logEndOffset - 5)
    }
    await following
    expect(seen).toEqual(range(0, 60))
    await reader.close()
    await directory.close()
  })

  test('sees a deletion: what is gone is out of range, what is left can be read', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 40, 10)
    const reader = await openReader(place)
    const standing = reader.reader({ from: 0, maxBytes: 1 })
    await standing.next()
    await log.deleteSegmentsBefore(25)
    const error = await errorOf(reader.read({ from: 24 }), OffsetOutOfRangeError)
    expect(error).toMatchObject({ offset: 24, logStartOffset: 25, logEndOffset: 40 })
    expect(reader.logStartOffset).toBe(25)
    expect(await readAll(reader)).toEqual(values(25, 40))
    await errorOf(standing.next(), OffsetOutOfRangeError)
    await reader.close()
    await directory.close()
  })

  test('reads on when compaction replaces what it reads, whether it looked since or not', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place, { fileDeleteDelayMs: 0 })
    await appendValues(log, 40, 10)
    const reader = await openReader(place)
    const standing = reader.reader({ from: 0, maxBytes: 1 })
    const before = [(await standing.next()).value?.baseOffset]
    const untouched = await openReader(place)
    await compact(place, log, 0, 2)
    await log.flush()
    const even = [...range(0, 20).filter((offset) => offset % 2 === 0), ...range(20, 40)]
    expect(await offsetsOf(reader)).toEqual(even)
    expect(await offsetsOf(untouched, { from: 13 })).toEqual(even.filter((offset) => offset >= 13))
    const after: number[] = []
    for await (const batch of standing) if (batch.count !== 0) after.push(batch.baseOffset)
    expect([...before, ...after]).toEqual([0, ...even.filter((offset) => offset > 0)])
    await compact(place, log, 0, 2)
    expect(await offsetsOf(reader, { from: 20 })).toEqual([
      ...range(20, 30).filter((offset) => offset % 2 === 0),
      ...range(30, 40),
    ])
    await reader.close()
    await untouched.close()
    await directory.close()
  })

  test('reads what a clean shutdown left, log start offset included', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    await log.deleteSegmentsBefore(15)
    const reader = await openReader(place)
    await directory.close()
    expect(await readAll(reader)).toEqual(values(15, 30))
    const later = await openReader(place)
    expect(later.logStartOffset).toBe(15)
    expect(await readAll(later)).toEqual(values(15, 30))
    await reader.close()
    await later.close()
  })

  test('reads up to the last whole batch of what a crash left', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place, { acks: 'written' })
    await appendValues(log, 25, 10)
    const copy = place.killed()
    await directory.close()
    const file = copy.fs.open(`${copy.path}/t-0/${fileOf(20)}`, 'write')
    file.truncate(file.sizeBytes() - 1)
    file.close()
    const reader = await openReader(copy)
    expect(reader.highWatermark).toBe(24)
    expect(await readAll(reader)).toEqual(values(0, 24))
    await reader.close()
    removePlace(copy)
  })
})

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

const compiled = join(import.meta.dirname, '../../dist/index.js')

describe('beside a writer in another process', () => {
  test('follows every record, in order, through rolls, deletions and the kill of the writer', async (context) => {
    if (!existsSync(compiled)) return context.skip('packages/log is not compiled: run npx tsc -b')
    using temporary = makeTemporaryDirectory()
    const path = `${temporary.path}/data`
    const program = `
      import { LogDirectory } from ${JSON.stringify(compiled)}
      const directory = await LogDirectory.open(${JSON.stringify(path)}, { log: { segmentBytes: 4096, acks: 'written' } })
      const log = await directory.createLog('t', 0)
      let read = 0
      process.on('message', (offset) => { read = offset })
      process.send(0)
      for (let offset = 0; ; offset++) {
        await log.append({ value: 'v' + offset })
        if (offset % 100 === 0) process.send(offset)
        if (offset % 300 === 299) await log.deleteSegmentsBefore(read)
        if (offset % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const exited = new Promise((resolve) => child.once('exit', resolve))
    onTestFinished(() => void child.kill('SIGKILL'))
    let acknowledged = 0
    child.on('message', (offset) => (acknowledged = Number(offset)))
    await new Promise((resolve) => child.once('message', resolve))
    const reader = await openLogReadOnly(`${path}/t-0`)
    let expected = 0
    const end = new AbortController()
    for await (const record of reader
      .reader({ from: 0, follow: true, signal: end.signal })
      .records()) {
      expect(record.offset).toBe(expected)
      expect(record.value?.toString()).toBe(`v${expected}`)
      expected++
      if (expected % 100 === 0 && expected < 3000) child.send(expected)
      if (expected === 3000) child.kill('SIGKILL')
      if (child.killed && expected >= 3000) {
        await exited
        await reader.refresh()
        if (expected >= reader.highWatermark) end.abort()
      }
    }
    const directory = await LogDirectory.open(path)
    const log = directory.log('t', 0)
    expect(log.logEndOffset).toBeGreaterThanOrEqual(expected)
    expect(log.logEndOffset).toBeGreaterThan(acknowledged)
    await reader.refresh()
    await log.append({ value: 'after' })
    expect(
      (await readAll(reader, { from: log.logEndOffset - 1 })).map(({ value }) => value),
    ).toEqual([])
    await reader.refresh()
    expect(
      (await readAll(reader, { from: log.logEndOffset - 1 })).map(({ value }) => value),
    ).toEqual(['after'])
    await reader.close()
    await directory.close()
  })
})
