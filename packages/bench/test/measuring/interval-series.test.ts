import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import {
  type IntervalFigures,
  IntervalSeries,
  rehearseIntervals,
} from '../../src/measuring/interval-series.ts'

test('records count in the stretch in which they arrived; a standstill is there too', () => {
  const clock = new ManualClock()
  const seen: IntervalFigures[] = []
  const onInterval = (interval: IntervalFigures): void => void seen.push(interval)
  const series = new IntervalSeries({ clock, intervalMs: 1000, onInterval })
  clock.advance(5000)
  series.start()
  clock.advance(400)
  series.add(clock.monotonic(), 100, 2)
  series.add(clock.monotonic(), 50, 4)
  clock.advance(2000)
  series.add(clock.monotonic(), 10, 1500)
  const total = series.end()
  expect(series.intervals).toMatchObject([
    { startSeconds: 0, seconds: 1, records: 2, bytes: 150, meanMs: 3, maxMs: 4 },
    { startSeconds: 1, seconds: 1, records: 0, meanMs: 0, histogram: null },
    { startSeconds: 2, seconds: 0.4, records: 1, maxMs: 1500 },
  ])
  expect(series.intervals).toMatchObject(seen)
  expect(seen.length).toBe(3)
  expect(seen[0]).not.toHaveProperty('histogram')
  expect(total.figures()).toMatchObject({ count: 3, maxMs: 1500 })
  expect(series).toMatchObject({ records: 3, bytes: 160, seconds: 2.4 })
  expect(clock.pendingTimers).toBe(0)
})

test('records without latencies are counted many at a time', () => {
  const clock = new ManualClock()
  const series = new IntervalSeries({ clock, intervalMs: 1000 })
  series.start()
  clock.advance(500)
  series.count(clock.monotonic(), 6400, 64)
  expect(series.end().count).toBe(0)
  expect(series).toMatchObject({ records: 64, bytes: 6400 })
  expect(series.intervals).toMatchObject([{ records: 64, histogram: null }])
})

test('a rehearsal leaves no timer behind', () => {
  const clock = new ManualClock()
  rehearseIntervals(clock)
  expect(clock.pendingTimers).toBe(0)
})
