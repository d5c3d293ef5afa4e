import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TimestampPeaks } from '../../src/segments/timestamp-peaks.ts'
import { checkProperty } from '../property.ts'

class Segments {
  timestamps: number[] = []
  looks = 0

  count(): number {
    return this.timestamps.length
  }

  maxTimestampOf(index: number): number {
    this.looks++
    return this.timestamps[index] ?? -1
  }
}

test('the first segment that reaches a timestamp is found, whatever becomes of them', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), timestamp: fc.integer({ min: -1, max: 30 }) }),
    fc.record({ kind: fc.constant('removeFirst' as const), count: fc.integer({ min: 0, max: 3 }) }),
    fc.record({
      kind: fc.constant('replace' as const),
      at: fc.nat({ max: 10 }),
      timestamp: fc.integer({ min: -1, max: 30 }),
    }),
    fc.record({ kind: fc.constant('find' as const), timestamp: fc.integer({ min: -2, max: 31 }) }),
  )
  await checkProperty(fc.array(step, { maxLength: 60 }), 200, async (steps) => {
    const segments = new Segments()
    const peaks = new TimestampPeaks()
    const { timestamps } = segments
    for (const done of steps) {
      if (done.kind === 'add') timestamps.push(done.timestamp)
      else if (done.kind === 'removeFirst') {
        timestamps.splice(0, done.count)
        peaks.keep(0)
      } else if (done.kind === 'replace') {
        timestamps.splice(done.at, 2, done.timestamp)
        peaks.keep(done.at)
      } else {
        const first = timestamps.findIndex((timestamp) => timestamp >= done.timestamp)
        const expected = first < 0 ? timestamps.length : first
        expect(await peaks.find(segments, done.timestamp)).toBe(expected)
      }
    }
  })
})

test('no segment is looked at twice, nor one behind what is found', async () => {
  const segments = new Segments()
  const peaks = new TimestampPeaks()
  for (let index = 0; index < 1_000; index++) segments.timestamps.push(index)
  expect(await peaks.find(segments, 100)).toBe(100)
  expect(segments.looks).toBe(101)
  expect(await peaks.find(segments, 999)).toBe(999)
  for (let timestamp = 0; timestamp < 1_000; timestamp += 7) {
    expect(await peaks.find(segments, timestamp)).toBe(timestamp)
  }
  expect(segments.looks).toBe(1_000)
})

test('segments that go while others are looked at leave the right ones', async () => {
  const segments = new Segments()
  const peaks = new TimestampPeaks()
  for (let index = 0; index < 1_000; index++) segments.timestamps.push(index)
  const found = peaks.find(segments, 900)
  setImmediate(() => {
    segments.timestamps.splice(0, 500)
    peaks.keep(0)
  })
  expect(await found).toBe(400)
})

test('a segment that cannot be looked at is told of, and looked at again', async () => {
  const peaks = new TimestampPeaks()
  let isReadable = false
  const segments = {
    count: () => 3,
    maxTimestampOf: (index: number) => {
      if (index === 1 && !isReadable) throw new Error('EIO: 1.digest')
      return index
    },
  }
  await expect(peaks.find(segments, 2)).rejects.toThrow('EIO: 1.digest')
  isReadable = true
  expect(await peaks.find(segments, 2)).toBe(2)
})
