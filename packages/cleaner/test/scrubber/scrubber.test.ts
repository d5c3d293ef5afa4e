import { LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { cleanerChannels, type RotEvent, type ScrubEvent } from '../../src/cleaner-events.ts'
import { Scrubber, type ScrubberOptions } from '../../src/scrubber/scrubber.ts'
import { EventRecorder } from '../event-recorder.ts'

async function openLog(segments = 4) {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const directory = await LogDirectory.open('/data', { fs, clock })
  const log = await directory.createLog('t', 0)
  for (let segment = 0; segment < segments; segment++) {
    for (let record = 0; record < 5; record++) {
      await log.append({ value: `${segment}-${record}`, timestamp: clock.now() })
    }
    await log.roll()
  }
  await log.flush()
  const scrubber = (options: ScrubberOptions = {}) =>
    new Scrubber(directory, { fs, clock, ioBytesPerSecond: 1e9, ...options })
  return { fs, clock, directory, log, scrubber }
}

test('a log that is right is read to its end, and nothing is reported', async () => {
  const { log, scrubber } = await openLog()
  using scrubbed = new EventRecorder<ScrubEvent>(cleanerChannels.scrub)
  const report = await scrubber().runOnce()
  const sizeBytes = log.segments().reduce((sum, segment) => sum + segment.sizeBytes, 0)
  expect(report).toEqual({ segments: 4, sizeBytes, rotten: [] })
  expect(scrubbed.events.map(({ segment }) => segment.baseOffset)).toEqual([0, 5, 10, 15])
})

test('a flipped bit anywhere in a segment is reported', async () => {
  const { fs, log, scrubber } = await openLog(2)
  const segment = log.segments()[1]
  const path = segment?.path ?? ''
  for (let byte = 0; byte < (segment?.sizeBytes ?? 0); byte += 1) {
    const bit = byte * 8 + (byte % 8)
    fs.flipBit(path, bit)
    using rot = new EventRecorder<RotEvent>(cleanerChannels.rot)
    const { rotten } = await scrubber().runOnce()
    expect(rotten, `byte ${byte}`).toHaveLength(1)
    expect(rotten[0]?.path).toBe(path)
    expect(rot.events.map((event) => [event.log, event.segment.baseOffset])).toEqual([['t-0', 5]])
    fs.flipBit(path, bit)
  }
})

test.each(['timeindex', 'digest'])('so is one in its .%s', async (extension) => {
  const { fs, log, scrubber } = await openLog(1)
  const path = (log.segments()[0]?.path ?? '').replace('log', extension)
  fs.flipBit(path, 90)
  expect((await scrubber().runOnce()).rotten).toHaveLength(1)
})

test('what is deleted meanwhile is not found fault with', async () => {
  const { log, scrubber, clock } = await openLog()
  const running = scrubber({ ioBytesPerSecond: 1000 }).runOnce()
  await log.deleteSegmentsBefore(15)
  for (let second = 0; second < 20; second++) {
    clock.advance(1000)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect((await running).rotten).toEqual([])
})

test('by itself it reads at once and at its intervals, until it is closed', async () => {
  const { clock, scrubber } = await openLog(1)
  using scrubbed = new EventRecorder<ScrubEvent>(cleanerChannels.scrub)
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20))
  const running = scrubber({ intervalMs: 1000 })
  running.start()
  running.start()
  clock.advance(0)
  await settle()
  expect(scrubbed.events).toHaveLength(1)
  clock.advance(1000)
  await settle()
  expect(scrubbed.events).toHaveLength(2)
  await running.close()
  clock.advance(5000)
  await settle()
  expect(scrubbed.events).toHaveLength(2)
})

test('a signal ends it, with its reason', async () => {
  const { scrubber } = await openLog()
  const abort = new AbortController()
  const running = scrubber({ ioBytesPerSecond: 10 }).runOnce({ signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
})

test('a rate or interval that is none is refused', async () => {
  const { scrubber } = await openLog(0)
  expect(() => scrubber({ ioBytesPerSecond: 0 })).toThrow(InvalidArgumentError)
  expect(() => scrubber({ intervalMs: -1 })).toThrow(InvalidArgumentError)
})
