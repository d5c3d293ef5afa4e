import { RecordBatchBuilder } from '@varve/record'
import { describe, expect, test } from 'vitest'
import type { AppendResult } from '../../src/append/append-result.ts'
import { type FlushEvent, logChannels, type RollEvent } from '../../src/base/diagnostics.ts'
import {
  AppendQueueFullError,
  BatchTooLargeError,
  LogClosedError,
  LogOfflineError,
} from '../../src/base/log-errors.ts'
import type { Acks } from '../../src/base/log-options.ts'
import type { Log } from '../../src/log.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { createLog, errorOf, eventsOf, offsetsOf, range, simulatedPlace } from '../log-fixture.ts'

/** Lets everything happen that waits for nothing but its turn. */
async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Appends one record, and notes its name when it is acknowledged. */
function noting(log: Log, noted: string[]): (name: string, acks: Acks) => Promise<AppendResult> {
  return async (name, acks) => {
    const result = await log.append({ value: name }, { acks })
    noted.push(name)
    return result
  }
}

function flushes(fs: { readonly journal: readonly { kind: string; path: string }[] }): number {
  return fs.journal.filter(({ kind, path }) => kind === 'datasync' && path.endsWith('.log')).length
}

describe('group commit', () => {
  test('one flush serves everything that arrived during the previous one', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    await log.append({ value: 'first' })
    const before = flushes(place.fs)
    place.fs.holdFlushes()
    const first = log.append({ value: 'second' })
    await turns()
    const during = Array.from({ length: 100 }, (_, index) => log.append({ value: `${index}` }))
    await turns()
    place.fs.resumeFlushes()
    await Promise.all([first, ...during])
    expect(flushes(place.fs) - before).toBe(2)
    expect(log.flushedOffset).toBe(102)
  })

  test('appends get offsets in the order of the calls, and are acknowledged in it', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { segmentBytes: 300, batchBytes: 100 })
    const acks = (['flushed', 'written', 'flushed', 'written', 'written'] as const).flatMap(
      (level) => Array.from({ length: 8 }, () => level),
    )
    const order: number[] = []
    const results = await Promise.all(
      acks.map(async (level, index) => {
        const result = await log.append({ value: `${index}` }, { acks: level })
        order.push(result.baseOffset)
        return result.baseOffset
      }),
    )
    expect(results).toEqual(range(0, 40))
    expect(order).toEqual(range(0, 40))
  })

  test('what is only to be written and comes first is acknowledged before the flush', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { batchBytes: 0 })
    await log.append({ value: 'before' })
    place.fs.holdFlushes()
    const noted: string[] = []
    const append = noting(log, noted)
    const appends = [append('a', 'written'), append('b', 'flushed'), append('c', 'written')]
    await turns()
    expect(noted).toEqual(['a'])
    expect(log.highWatermark).toBe(2)
    expect(await offsetsOf(log)).toEqual([0, 1])
    place.fs.resumeFlushes()
    await Promise.all(appends)
    expect(noted).toEqual(['a', 'b', 'c'])
    expect(log.highWatermark).toBe(4)
  })

  test('an append that asks for nothing is accepted at once, and visible when written', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    const result = await log.append({ value: 'a' }, { acks: 'none' })
    expect(result).toMatchObject({ baseOffset: -1, lastOffset: -1 })
    await turns()
    expect(log.highWatermark).toBe(1)
    expect(log.flushedOffset).toBe(0)
  })
})

describe('flush policies', () => {
  test('a flush on the event loop waits for nobody', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { flushOn: 'loop' })
    await log.append({ value: 'the first, with which the name of the file becomes durable' })
    const before = flushes(place.fs)
    // What is flushed in the pool does not end now.
    place.fs.holdFlushes()
    await log.append({ value: 'second' })
    expect(flushes(place.fs) - before).toBe(1)
    expect(log.flushedOffset).toBe(2)
    place.fs.resumeFlushes()
  })

  test('flushMessages flushes when so many records are not', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { flushMessages: 3 })
    const flushed: number[] = []
    for (let count = 0; count < 7; count += 1) {
      await log.append({ value: 'x' }, { acks: 'written' })
      await turns(2)
      flushed.push(log.flushedOffset)
    }
    expect(flushed).toEqual([0, 0, 3, 3, 3, 6, 6])
  })

  test('flushMs flushes when the oldest unflushed record is so old', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const { log } = await createLog(place, { flushMs: 100 }, { clock })
    await log.append({ value: 'x' }, { acks: 'written' })
    await turns()
    clock.advance(99)
    await turns()
    expect(log.flushedOffset).toBe(0)
    clock.advance(1)
    await turns()
    expect(log.flushedOffset).toBe(1)
  })

  test('linger waits for more before it writes, but not when there is enough', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const { log } = await createLog(place, { lingerMs: 10, batchBytes: 500 }, { clock })
    const events = await eventsOf<FlushEvent>(logChannels.flush, async () => {
      const first = log.append({ value: 'a' })
      await turns()
      expect(log.logEndOffset).toBe(0)
      const second = log.append({ value: 'b' })
      clock.advance(10)
      await Promise.all([first, second])
      await log.append({ value: 'x'.repeat(600) })
    })
    expect(events.map(({ records }) => records)).toEqual([2, 1])
  })

  test('linger ends when a batch is full, and for whoever flushes or closes', async () => {
    const clock = new ManualClock()
    const options = { lingerMs: 60_000, batchBytes: 500 }
    const { directory, log } = await createLog(simulatedPlace(), options, { clock })
    const first = log.append({ value: 'a' })
    await turns()
    const second = log.append({ value: 'x'.repeat(600) })
    expect((await first).baseOffset).toBe(0)
    expect((await second).baseOffset).toBe(1)
    const third = log.append({ value: 'b' })
    await turns()
    await log.flush()
    expect((await third).baseOffset).toBe(2)
    const fourth = log.append({ value: 'c' })
    await turns()
    await directory.close()
    expect((await fourth).baseOffset).toBe(3)
    expect(clock.pendingTimers).toBe(0)
  })

  test('linger ends when storage fails beside it: no timer keeps the process', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const { directory, log } = await createLog(place, { lingerMs: 60_000 }, { clock })
    const timersOfDirectory = clock.pendingTimers
    for (const value of ['a', 'b']) {
      const appended = log.append({ value })
      await log.roll()
      await appended
    }
    const unflushed = log.append({ value: 'c' }, { acks: 'written' })
    place.fs.holdFlushes()
    // The segment is sealed beside the loop, and that will fail.
    await log.roll()
    await unflushed
    const lingering = log.append({ value: 'd' })
    await turns()
    place.fs.injectFault({ kind: 'EIO', isLasting: true })
    place.fs.resumeFlushes()
    await errorOf(lingering, LogOfflineError)
    await turns()
    expect(clock.pendingTimers).toBe(timersOfDirectory)
    place.fs.clearFaults()
    await directory.close().catch(() => undefined)
  })
})

describe('rolling faster than the disk takes it', () => {
  test.each([4, 64])('waits for the disk, with %i files open at most', async (openFilesMax) => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, {}, { openFilesMax })
    // The first roll flushes more than later ones.
    await log.append({ value: 'v0' })
    await log.roll()
    place.fs.holdFlushes()
    const rolls: Promise<void>[] = []
    for (let index = 1; index < 40; index++) {
      void log.append({ value: `v${index}` }, { acks: 'none' })
      rolls.push(log.roll())
      await turns(4)
    }
    expect(log.segmentCount).toBeGreaterThan(3)
    expect(log.segmentCount).toBeLessThan(12)
    place.fs.resumeFlushes()
    await Promise.all(rolls)
    expect(await offsetsOf(log)).toEqual(range(0, 40))
    await directory.close()
  })
})

describe('back-pressure', () => {
  const queueBytesMax = 400
  const value = 'x'.repeat(150)

  test('with a full queue, appends wait in order', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { queueBytesMax })
    await log.append({ value })
    place.fs.holdFlushes()
    const appends = Array.from({ length: 12 }, () => log.append({ value }))
    await turns()
    expect(log.logEndOffset).toBeLessThan(13)
    place.fs.resumeFlushes()
    const results = await Promise.all(appends)
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual(range(1, 13))
  })

  test('or are refused, which can be tried again', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { queueBytesMax, whenQueueFull: 'refuse' })
    const accepted = [log.append({ value }), log.append({ value }), log.append({ value })]
    const error = await errorOf(log.append({ value }), AppendQueueFullError)
    expect(error.retriable).toBe(true)
    await Promise.all(accepted)
    await expect(log.append({ value })).resolves.toMatchObject({ baseOffset: 3 })
  })

  test('closing writes what waits for room, too', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { queueBytesMax })
    const appends = Array.from({ length: 12 }, () => log.append({ value }, { acks: 'written' }))
    await log.close()
    const results = await Promise.all(appends)
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual(range(0, 12))
    await directory.close()
    expect(place.fs.openFiles()).toEqual([])
  })
})

describe('closing', () => {
  test('acknowledges what is in flight, and refuses what comes after', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    const appends = range(0, 20).map((value) => log.append({ value: `${value}` }))
    const closing = log.close()
    await errorOf(log.append({ value: 'late' }), LogClosedError)
    await closing
    const results = await Promise.all(appends)
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual(range(0, 20))
  })

  test('refuses what comes while it flushes', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    const append = log.append({ value: 'in time' })
    place.fs.holdFlushes()
    const closing = log.close()
    await turns()
    await errorOf(log.append({ value: 'late' }), LogClosedError)
    place.fs.resumeFlushes()
    await Promise.all([append, closing])
    expect(log.logEndOffset).toBe(1)
  })
})

describe('rolling', () => {
  async function reasons(options: object, run: (log: Log) => Promise<void>): Promise<string[]> {
    const place = simulatedPlace()
    const { log } = await createLog(place, options)
    const events = await eventsOf<RollEvent>(logChannels.roll, () => run(log))
    return events.map(({ reason }) => reason)
  }

  test('by size, before the batch that would pass it', async () => {
    const found = await reasons({ segmentBytes: 250 }, async (log) => {
      for (let count = 0; count < 4; count += 1) await log.append({ value: 'x'.repeat(40) })
      expect(log.segments().every(({ sizeBytes }) => sizeBytes <= 250)).toBe(true)
    })
    expect(found).toEqual(['size'])
  })

  test('by time, counted in record timestamps', async () => {
    const found = await reasons({ segmentMs: 1000 }, async (log) => {
      for (const timestamp of [5000, 6000, 6001, 7000]) await log.append({ value: 'x', timestamp })
      expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([0, 2])
    })
    expect(found).toEqual(['time'])
  })

  test('by a full index', async () => {
    const options = { indexIntervalBytes: 0, segmentIndexBytes: 24 }
    const found = await reasons(options, async (log) => {
      for (let count = 0; count < 6; count += 1) await log.append({ value: 'x', timestamp: count })
    })
    expect(found.length).toBeGreaterThan(0)
    expect(new Set(found)).toEqual(new Set(['indexFull']))
  })

  test('on request, unless there is nothing to seal', async () => {
    const found = await reasons({}, async (log) => {
      await log.roll()
      await log.append({ value: 'x' })
      await log.roll()
      await log.roll()
    })
    expect(found).toEqual(['request'])
  })
})

describe('what may not be appended', () => {
  test('harms nothing else that shares its group', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place, { maxMessageBytes: 300 })
    const good = [log.append({ value: 'a' }), log.append({ value: 'b' })]
    const large = log.append({ value: 'x'.repeat(400) })
    const wrong = log.append([{ value: 'never' }, { value: 'y', timestamp: -7 }])
    const late = log.append({ value: 'c' })
    await errorOf(large, BatchTooLargeError)
    await expect(wrong).rejects.toThrow()
    await Promise.all([...good, late])
    const found: string[] = []
    for await (const record of log.reader({ from: 0 }).records()) found.push(String(record.value))
    expect(found).toEqual(['a', 'b', 'c'])
  })

  test('a control batch whose record is none is refused alone', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    const builder = new RecordBatchBuilder({
      producerId: 1,
      producerEpoch: 0,
      isTransactional: true,
      isControl: true,
    })
    const batch = builder.append({ key: 'x', value: 'no marker', timestamp: 1 }).build()
    const good = log.append({ value: 'a' })
    await expect(log.appendBatch(batch, { origin: 'coordinator' })).rejects.toThrow()
    await good
    expect(log.isFailed).toBe(false)
    await expect(log.append({ value: 'b' })).resolves.toMatchObject({ baseOffset: 1 })
  })

  test('LogAppendTime stamps records and batches with the time of the log', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const options = { messageTimestampType: 'LogAppendTime' } as const
    const { log } = await createLog(place, options, { clock })
    clock.advance(1234)
    await log.append({ value: 'a', timestamp: 5 })
    const batch = new RecordBatchBuilder().append({ value: 'b', timestamp: 6 }).build()
    await log.appendBatch(batch)
    const found: number[] = []
    for await (const record of log.reader({ from: 0 }).records()) found.push(record.timestamp)
    expect(found).toEqual([clock.now(), clock.now()])
  })
})

describe('a failed flush', () => {
  test('rejects its group and all that follows, with one error and its cause', async () => {
    const place = simulatedPlace()
    const { log } = await createLog(place)
    await log.append({ value: 'good' })
    place.fs.holdFlushes()
    const doomed = log.append({ value: 'doomed' })
    doomed.catch(() => undefined)
    place.fs.injectFault({ kind: 'EIO', after: 1 })
    await turns()
    const queued = log.append({ value: 'queued' })
    queued.catch(() => undefined)
    place.fs.resumeFlushes()
    const first = await errorOf(doomed, LogOfflineError)
    expect(await errorOf(queued, LogOfflineError)).toBe(first)
    expect(await errorOf(log.append({ value: 'late' }), LogOfflineError)).toBe(first)
    expect(await errorOf(log.flush(), LogOfflineError)).toBe(first)
    expect(first.cause).toMatchObject({ code: 'EIO' })
    expect(log.isFailed).toBe(true)
    expect(log.highWatermark).toBe(1)
    expect(flushes(place.fs)).toBe(2)
  })
})
