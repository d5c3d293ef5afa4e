import { afterEach, describe, expect, test } from 'vitest'
import { LogNotFoundError, OffsetOutOfRangeError } from '../../src/base/log-errors.ts'
import {
  appendValues,
  createLog,
  errorOf,
  fileOf,
  namesIn,
  offsetsOf,
  type Place,
  places,
  range,
  readAll,
  removePlace,
  reopenLog,
  TestProducer,
  values,
} from '../log-fixture.ts'
import { compact, openReader } from './read-only-fixture.ts'

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
