import { InvalidArgumentError } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawn } from '../../../record/test/campaign-scale.ts'
import type { Log } from '../../src/log.ts'
import { openLogReadOnly, type ReadOnlyLog } from '../../src/read/read-only-log.ts'
import {
  createLog,
  errorOf,
  range,
  reopenLog,
  simulatedPlace,
  TestProducer,
} from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

describe('the offset for a timestamp', () => {
  test('is not looked for where there is no timestamp', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    await log.append({ value: 'v' })
    for (const none of [Number.NaN, undefined, null, '2026-11-21', new Date()]) {
      await errorOf(log.offsetForTimestamp(none as number), InvalidArgumentError)
    }
    await directory.close()
  })

  test('is right when segments have gone or come since it was looked for', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const append = async (timestamp: number): Promise<void> => {
      await log.append({ value: 'v', timestamp })
      await log.roll()
    }
    for (const timestamp of [50, 10, 40, 20]) await append(timestamp)
    const reader = await openLogReadOnly('/data/t-0', { fs: place.fs })
    for (const opened of [log, reader]) {
      expect((await opened.offsetForTimestamp(15))?.offset).toBe(0)
      expect(await opened.offsetForTimestamp(51)).toBeNull()
    }
    await append(60)
    await log.deleteSegmentsBefore(1)
    for (const opened of [log, reader]) {
      expect((await opened.offsetForTimestamp(15))?.offset).toBe(2)
      expect((await opened.offsetForTimestamp(45))?.offset).toBe(4)
      expect((await opened.offsetForTimestamp(0))?.offset).toBe(1)
      expect(await opened.offsetForTimestamp(61)).toBeNull()
    }
    await reader.close()
    await directory.close()
  })

  test('of the latest record leaves out markers, which may be later', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    expect(await log.latestRecord()).toBeNull()
    const producer = new TestProducer(1)
    await log.append({ value: 'v', timestamp: 300 })
    await log.append({ value: 'v', timestamp: 700 })
    await log.append({ value: 'v', timestamp: 700 })
    expect(await log.latestRecord()).toEqual({ offset: 1, timestamp: 700 })
    await log.roll()
    await log.append({ value: 'v', timestamp: 600 })
    await log.appendBatch(producer.marker('commit'), { origin: 'coordinator' })
    expect(await log.latestRecord()).toEqual({ offset: 1, timestamp: 700 })
    await directory.close()
  })

  test('is that of the first record so late, as reading all of them finds it', async () => {
    const shape = fc.record({
      batches: fc.array(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 6 }), {
        minLength: 1,
        maxLength: 40,
      }),
      start: fc.nat({ max: 20 }),
      indexIntervalBytes: fc.integer({ min: 0, max: 300 }),
      segmentBytes: fc.integer({ min: 400, max: 1500 }),
    })
    await checkProperty(shape, drawn(25, 1000), async ({ batches, start, ...options }) => {
      const place = simulatedPlace()
      const { directory, log } = await createLog(place, {
        ...options,
        acks: 'written',
        segmentMs: 1e9,
      })
      for (const timestamps of batches) {
        await log.append(timestamps.map((timestamp) => ({ value: 'v', timestamp })))
      }
      const first = Math.min(start, log.logEndOffset)
      await log.deleteSegmentsBefore(first)
      const all = batches.flat().map((timestamp, offset) => ({ offset, timestamp }))
      const check = async (opened: Log | ReadOnlyLog): Promise<void> => {
        for (const target of range(-1, 62)) {
          const expected = all.find(
            ({ offset, timestamp }) => offset >= first && timestamp >= target,
          )
          expect(await opened.offsetForTimestamp(target)).toEqual(expected ?? null)
        }
      }
      await check(log)
      await directory.close()
      const reader = await openLogReadOnly('/data/t-0', { fs: place.fs })
      await check(reader)
      await reader.close()
      const again = await reopenLog(place, options)
      await check(again.log)
      await again.directory.close()
    })
  })

  test('passes over control batches, and is null in an empty log', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    expect(await log.offsetForTimestamp(0)).toBeNull()
    const producer = new TestProducer(1)
    await log.appendBatch(producer.batch(1, { isTransactional: true }))
    await log.appendBatch(producer.marker('commit'), { origin: 'coordinator' })
    expect(await log.offsetForTimestamp(1000)).toEqual({ offset: 0, timestamp: 1000 })
    await log.deleteSegmentsBefore(1)
    expect(await log.offsetForTimestamp(0)).toBeNull()
    await directory.close()
  })

  test('is found by the time that the log stamped', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { messageTimestampType: 'LogAppendTime' })
    await log.append([
      { value: 'a', timestamp: 5 },
      { value: 'b', timestamp: 9e12 },
    ])
    const now = Date.UTC(2026, 0, 1)
    expect(await log.offsetForTimestamp(now)).toEqual({ offset: 0, timestamp: now })
    expect(await log.offsetForTimestamp(now + 1)).toBeNull()
    await directory.close()
  })
})
