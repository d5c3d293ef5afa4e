import { describe, expect, test } from 'vitest'
import { LogClosedError } from '../src/base/log-errors.ts'
import { appendValues, bytesAt, createLog, fileOf, simulatedPlace } from './log-fixture.ts'

describe('a snapshot', () => {
  test('holds the segments as they are, and of the active one what is visible', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 25, 10)
    place.fs.holdFlushes()
    const appending = log.append({ value: 'v25', timestamp: 1025 })
    await expect.poll(() => log.logEndOffset, { interval: 1 }).toBe(26)
    using snapshot = log.snapshot()
    place.fs.resumeFlushes()
    await appending
    await appendValues(log, 10)
    expect(snapshot).toMatchObject({ logStartOffset: 0, endOffset: 25 })
    const [first, second, third] = snapshot.segments
    expect(snapshot.segments.length).toBe(3)
    expect([first, second]).toEqual(log.segments().slice(0, 2))
    const size = [20, 21, 22, 23, 24].length * ((second?.sizeBytes ?? 0) / 10)
    expect(third).toMatchObject({ baseOffset: 20, nextOffset: 25, sizeBytes: size })
    expect(bytesAt(place, `t-0/${fileOf(20)}`).length).toBeGreaterThan(size)
    await directory.close()
  })

  test('has no active segment when that is empty, or nothing of it is visible', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    expect(log.snapshot().segments).toEqual([])
    await appendValues(log, 10)
    await log.roll()
    const snapshot = log.snapshot()
    expect(snapshot.segments.map(({ baseOffset }) => baseOffset)).toEqual([0])
    expect(snapshot.endOffset).toBe(10)
    place.fs.holdFlushes()
    const appending = log.append({ value: 'x', timestamp: 1 })
    await expect.poll(() => log.logEndOffset, { interval: 1 }).toBe(11)
    expect(log.snapshot().segments.map(({ baseOffset }) => baseOffset)).toEqual([0])
    place.fs.resumeFlushes()
    await appending
    await directory.close()
  })

  test('begins where the log does', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    await log.deleteSegmentsBefore(13)
    expect(log.snapshot()).toMatchObject({ logStartOffset: 13, endOffset: 20 })
    await directory.close()
    expect(() => log.snapshot()).toThrow(LogClosedError)
  })
})
