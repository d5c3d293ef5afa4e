import { type Log, LogDirectory, type LogOptions } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Cleaner } from '../src/cleaner.ts'
import {
  type CleaningFailureEvent,
  type CompactionEvent,
  type CompactionProgressEvent,
  cleanerChannels,
  type RetentionEvent,
} from '../src/cleaner-events.ts'
import { type CleanerOptions, resolveCleanerOptions } from '../src/cleaner-options.ts'
import { CleaningPace } from '../src/cleaning-pace.ts'
import type { CleaningPolicy } from '../src/policy/cleaning-policy.ts'
import { EventRecorder } from './event-recorder.ts'

interface House {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock
  readonly directory: LogDirectory
}

async function openHouse(
  log: LogOptions = { segmentBytes: 1000 },
  fs: SimulatedFileSystem = new SimulatedFileSystem(),
): Promise<House> {
  const clock = new ManualClock()
  const directory = await LogDirectory.open('/data', { fs, clock, log, random: () => 0 })
  return { fs, clock, directory }
}

function cleanerOf({ fs, clock, directory }: House, options: CleanerOptions = {}): Cleaner {
  return new Cleaner(directory, { fs, clock, policy: () => compacted, ...options })
}

const compacted: CleaningPolicy = { cleanupPolicy: ['compact'], minCleanableDirtyRatio: 0.3 }

/** Versions of ten keys, in segments of about ten records, with an empty active one at the end. */
async function fill({ directory, clock }: House, topic: string, records: number): Promise<Log> {
  const log = directory.logs.get(`${topic}-0`) ?? (await directory.createLog(topic, 0))
  for (let index = 0; index < records; index++) {
    await log.append({ key: `k${index % 10}`, value: `v${index}`, timestamp: clock.now() })
  }
  await log.roll()
  return log
}

async function countOf(log: Log): Promise<number> {
  let count = 0
  for await (const _ of log.reader({ from: log.logStartOffset }).records()) count += 1
  return count
}

/** Lets everything run that does not wait for the clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('one run', () => {
  test('compacts what is due, the dirtiest first, and notes how far it came', async () => {
    const house = await openHouse()
    const clean = await fill(house, 'clean', 40)
    await using cleaner = cleanerOf(house)
    await cleaner.runOnce()
    await fill(house, 'clean', 10)
    await fill(house, 'dirty', 40)
    using events = new EventRecorder<CompactionEvent>(cleanerChannels.compaction)
    using progress = new EventRecorder<CompactionProgressEvent>(cleanerChannels.progress)
    const { compaction } = await cleaner.runOnce()
    expect(events.events.map(({ log }) => log)).toEqual(['dirty-0', 'clean-0'])
    expect([...compaction.keys()]).toEqual(['dirty-0', 'clean-0'])
    expect(compaction.get('dirty-0')).toMatchObject({ endOffset: 40, rounds: 1 })
    expect(await countOf(clean)).toBe(10)
    expect(house.directory.cleanerCheckpoint.read()).toEqual(
      new Map([
        ['clean-0', 50],
        ['dirty-0', 40],
      ]),
    )
    expect(progress.events.map(({ phase }) => phase)).toContain('mapping')
    expect(progress.events.at(-1)).toMatchObject({ phase: 'rewriting', log: 'clean-0' })
    expect((await cleaner.runOnce()).compaction.size).toBe(0)
  })

  test('its pace is told what was dirty, and what has become so meanwhile', async () => {
    const house = await openHouse()
    const log = await fill(house, 'dirty', 40)
    const compacted = vi.spyOn(CleaningPace.prototype, 'compacted')
    onTestFinished(() => compacted.mockRestore())
    await using cleaner = cleanerOf(house)
    const { dirtyBytes } = cleaner.planCompaction(log)
    await cleaner.runOnce()
    expect(compacted.mock.calls).toEqual([['dirty-0', dirtyBytes, 0]])
  })

  test('deletes what has expired, and says what groups hold back', async () => {
    const house = await openHouse()
    const log = await fill(house, 'events', 40)
    house.clock.advance(1001)
    const holds = () => [{ group: 'slow', committedOffset: 25 }]
    const policy = () => ({ retentionMs: 1000 })
    await using cleaner = cleanerOf(house, { policy, holds })
    using events = new EventRecorder<RetentionEvent>(cleanerChannels.retention)
    const held = (await cleaner.runOnce()).retention.get('events-0')?.held
    expect(held?.[0]).toMatchObject({ group: 'slow', committedOffset: 25 })
    expect(log.logStartOffset).toBeGreaterThan(0)
    expect(log.logStartOffset).toBeLessThanOrEqual(25)
    expect(events.events).toHaveLength(1)
    await using other = cleanerOf(house, { policy })
    await other.runOnce()
    expect(log.logStartOffset).toBe(40)
  })

  test('deletes thousands of segments, some at a time', async () => {
    const house = await openHouse({ acks: 'written' })
    const log = await house.directory.createLog('many', 0)
    for (let segment = 0; segment < 1200; segment++) {
      await log.append({ value: 'x', timestamp: house.clock.now() })
      await log.roll()
    }
    house.clock.advance(1001)
    await using cleaner = cleanerOf(house, { policy: () => ({ retentionMs: 1000 }) })
    using events = new EventRecorder<RetentionEvent>(cleanerChannels.retention)
    const { retention } = await cleaner.runOnce()
    expect(events.events).toHaveLength(2)
    const plan = retention.get('many-0')
    expect(plan?.deletions.flatMap(({ segments }) => segments)).toHaveLength(1200)
    expect(plan?.decisions.filter(({ isDeleted }) => isDeleted)).toHaveLength(1200)
    expect([log.logStartOffset, log.segmentCount]).toEqual([1200, 1])
  })

  test('deletes and compacts where both are asked for', async () => {
    const house = await openHouse()
    const log = await fill(house, 'both', 30)
    house.clock.advance(600)
    await fill(house, 'both', 30)
    house.clock.advance(500)
    const policy = (): CleaningPolicy => ({
      cleanupPolicy: ['compact', 'delete'],
      retentionMs: 1000,
    })
    await using cleaner = cleanerOf(house, { policy })
    const { retention, compaction } = await cleaner.runOnce()
    expect(retention.get('both-0')?.deletions[0]?.reason).toBe('retentionTime')
    expect(compaction.has('both-0')).toBe(true)
    expect(log.logStartOffset).toBeGreaterThan(0)
    expect(await countOf(log)).toBe(10)
  })

  test('a log that fails is set aside with its error, and tried again; the others go on', async () => {
    const house = await openHouse()
    const bad = await fill(house, 'bad', 40)
    const good = await fill(house, 'good', 40)
    const [first] = bad.segments()
    const path = first?.path ?? ''
    house.fs.flipBit(path, 700)
    using failures = new EventRecorder<CleaningFailureEvent>(cleanerChannels.failure)
    await using cleaner = cleanerOf(house, { retryBackoffMs: 1000 })
    await cleaner.runOnce()
    expect(await countOf(good)).toBe(10)
    expect(cleaner.failures.get('bad-0')).toMatchObject({ task: 'compaction', attempts: 1 })
    expect(cleaner.failures.get('bad-0')?.error.message).toContain(path)
    house.clock.advance(999)
    await cleaner.runOnce()
    expect(failures.events).toHaveLength(1)
    house.clock.advance(1)
    await cleaner.runOnce()
    expect(cleaner.failures.get('bad-0')?.attempts).toBe(2)
    house.fs.flipBit(path, 700)
    // The pause has doubled.
    house.clock.advance(1999)
    await cleaner.runOnce()
    expect(await countOf(bad)).toBe(40)
    house.clock.advance(1)
    await cleaner.runOnce()
    expect(cleaner.failures.size).toBe(0)
    expect(await countOf(bad)).toBe(10)
  })

  test('a log that a snapshot pins is left as it is until the snapshot is released', async () => {
    const house = await openHouse()
    const log = await fill(house, 't', 40)
    await using cleaner = cleanerOf(house, { retryBackoffMs: 1 })
    const snapshot = log.snapshot()
    await cleaner.runOnce()
    expect(cleaner.failures.get('t-0')?.error).toMatchObject({ code: 'VARVE_SEGMENT_PINNED' })
    expect(await countOf(log)).toBe(40)
    snapshot.release()
    house.clock.advance(1)
    await cleaner.runOnce()
    expect(await countOf(log)).toBe(10)
  })

  test('ends with the reason of its signal', async () => {
    const house = await openHouse()
    const log = await fill(house, 't', 40)
    await using cleaner = cleanerOf(house)
    const abort = new AbortController()
    const running = cleaner.runOnce({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    expect(cleaner.failures.size).toBe(0)
    expect(await countOf(log)).toBe(40)
  })

  test('an unreadable checkpoint is written anew, and everything compacted again', async () => {
    const house = await openHouse()
    await fill(house, 't', 40)
    const path = house.directory.cleanerCheckpoint.path
    const file = house.fs.open(path, 'replace')
    file.writeSync(Buffer.from('rubbish\n'), 0)
    file.close()
    await using cleaner = cleanerOf(house)
    await cleaner.runOnce()
    expect(house.directory.cleanerCheckpoint.read()).toEqual(new Map([['t-0', 40]]))
  })

  test('records that have expired are dropped, without anything new in the log', async () => {
    const house = await openHouse()
    const log = await fill(house, 't', 40)
    const policy = () => ({ ...compacted, recordTtlMs: 5000 })
    await using cleaner = cleanerOf(house, { policy })
    await cleaner.runOnce()
    expect(await countOf(log)).toBe(10)
    house.clock.advance(5000)
    const { compaction } = await cleaner.runOnce()
    expect(compaction.size).toBe(1)
    expect(await countOf(log)).toBe(0)
    expect((await cleaner.runOnce()).compaction.size).toBe(0)
  })
})

test('by itself it looks at once and then at its intervals, until it is closed', async () => {
  const house = await openHouse()
  const log = await fill(house, 't', 40)
  const cleaner = cleanerOf(house, { compactionIntervalMs: 1000 })
  cleaner.start()
  cleaner.start()
  house.clock.advance(0)
  await settle()
  expect(await countOf(log)).toBe(10)
  await fill(house, 't', 20)
  await settle()
  expect(await countOf(log)).toBe(30)
  house.clock.advance(1000)
  await settle()
  expect(await countOf(log)).toBe(10)
  const before = house.clock.pendingTimers
  await cleaner.close()
  expect(house.clock.pendingTimers).toBeLessThan(before)
  await fill(house, 't', 20)
  house.clock.advance(5000)
  await settle()
  expect(await countOf(log)).toBe(30)
})

test('a log that is deleted while it is compacted leaves nothing in the checkpoint', async () => {
  const house = await openHouse()
  await fill(house, 't', 40)
  await using cleaner = cleanerOf(house)
  const running = cleaner.runOnce()
  await house.directory.deleteLog('t', 0)
  await running
  expect(house.directory.cleanerCheckpoint.readOrEmpty().size).toBe(0)
})

test.each([
  [{ workers: -1 }],
  [{ mapBytes: 0 }],
  [{ compactionIntervalMs: 0.5 }],
  [{ restMs: -1 }],
  [{ restMs: 101 }],
  [{ workers: 1, fs: new SimulatedFileSystem() }],
])('%j is refused', (options) => {
  expect(() => resolveCleanerOptions(options)).toThrow(InvalidArgumentError)
})

test('leaves a log alone while somebody else replaces its segments, and cleans it afterwards', async () => {
  const house = await openHouse()
  const log = await fill(house, 'a', 40)
  await using cleaner = cleanerOf(house)
  const result = await cleaner.exclusively(log, async () => {
    expect((await cleaner.runOnce()).compaction.size).toBe(0)
    return 17
  })
  expect(result).toBe(17)
  const failing = cleaner.exclusively(log, () => Promise.reject(new Error('not done')))
  await expect(failing).rejects.toThrow('not done')
  const running = cleaner.runOnce()
  const order: string[] = []
  const waiting = cleaner.exclusively(log, async () => order.push('exclusive'))
  expect([...(await running).compaction.keys()]).toEqual(['a-0'])
  await waiting
  expect(order).toEqual(['exclusive'])
  expect(await countOf(log)).toBe(10)
})
