import { openLog, systemClock } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, expect, test } from 'vitest'
import { EngineWatch } from '../../src/measuring/engine-watch.ts'
import { machineClock } from '../../src/measuring/machine-clock.ts'
import { ProcessWatch } from '../../src/measuring/process-watch.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

test('the engine tells how many flushes there were, and how many records each had', async () => {
  await using log = await openLog(`${temporary.path}/log-0`)
  using watch = new EngineWatch()
  await log.append({ value: 'before' })
  watch.restart()
  const values = Array.from({ length: 10 }, (_, at) => ({ value: `record ${at}` }))
  await log.append(values)
  await log.append(values)
  const figures = watch.figures(2, 160)
  expect(figures).toMatchObject({ flushes: 2, flushesPerSecond: 1, recordsPerFlush: 10 })
  expect(figures.writtenBytes).toBeGreaterThan(160)
  expect(figures.bytesPerPayloadByte).toBeCloseTo(figures.writtenBytes / 160)
  watch[Symbol.dispose]()
  await log.append(values)
  expect(watch.figures(1, 1).flushes).toBe(2)
})

test('what nothing was done for has no rates', () => {
  using watch = new EngineWatch()
  expect(watch.figures(0, 0)).toMatchObject({ recordsPerFlush: 0, bytesPerPayloadByte: 0 })
})

test('a busy event loop is told as that, and a timer that had to wait is late', async () => {
  using watch = new ProcessWatch()
  await new Promise((resolve) => setTimeout(resolve, 20))
  watch.restart()
  await new Promise((resolve) => setTimeout(resolve, 5))
  const until = performance.now() + 60
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 5))
  const figures = watch.figures(1000, { isSpinning: false })
  expect(figures.eventLoopUtilization).toBeGreaterThan(0.1)
  expect(figures.eventLoopDelayMaxMs).toBeGreaterThan(30)
  // A busy machine gives this process less of its time than the clock shows.
  expect(figures.cpuSeconds).toBeGreaterThan(0.001)
  expect(figures.cpuSecondsPerMillionRecords).toBeCloseTo(figures.cpuSeconds * 1000, 1)
  expect(figures.residentMiB).toBeGreaterThan(10)
})

test('a loop that was kept turning has no utilisation to tell', () => {
  using watch = new ProcessWatch()
  const figures = watch.figures(0, { isSpinning: true })
  expect(figures).toMatchObject({ eventLoopUtilization: null, cpuSecondsPerMillionRecords: 0 })
})

test('the clock of the machine runs as the clock of the process does, from another start', () => {
  const machineMs = Number(process.hrtime.bigint()) / 1e6
  expect(Math.abs(machineClock.monotonic() - machineMs)).toBeLessThan(500)
  expect(Math.abs(machineClock.now() - systemClock.now())).toBeLessThan(500)
})
