import { InvalidArgumentError } from '@varve/record'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { logChannels } from '../../src/base/diagnostics.ts'
import {
  CorruptLogError,
  LogClosedError,
  LogOfflineError,
  OffsetOutOfRangeError,
} from '../../src/base/log-errors.ts'
import type { Log } from '../../src/log.ts'
import type { ReadOptions } from '../../src/read/log-reader.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  errorOf,
  eventsOf,
  fileOf,
  offsetsOf,
  type Place,
  places,
  putBytes,
  range,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  spanOf,
  values,
} from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

/** Four batches of five records each in two segments. */
async function logOfFives(place: Place): Promise<Log> {
  const { log } = await createLog(place)
  for (const batch of range(0, 4)) {
    await log.append(range(0, 5).map((index) => ({ value: `v${batch * 5 + index}`, timestamp: 1 })))
    if (batch === 1) await log.roll()
  }
  return log
}

describe.each(places)('reading on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('begins with the batch that holds the offset, and says where to read on', async () => {
    place = makePlace()
    const log = await logOfFives(place)
    const read = await log.read({ from: 7 })
    expect(read.batches.map(spanOf)).toEqual([[5, 9]])
    expect(read).toMatchObject({ nextOffset: 10, logStartOffset: 0, highWatermark: 20 })
    expect((await log.read({ from: 10 })).batches.map(spanOf)).toEqual([
      [10, 14],
      [15, 19],
    ])
    expect((await log.read({ from: 20 })).batches).toEqual([])
    expect(await offsetsOf(log, { from: 7 })).toEqual(range(7, 20))
  })

  test('gives at least one batch whatever the limit, else no more than it', async () => {
    place = makePlace()
    const log = await logOfFives(place)
    const [first] = (await log.read({ from: 0 })).batches
    const size = first?.sizeBytes ?? 0
    for (const [maxBytes, count] of [
      [1, 1],
      [size, 1],
      [2 * size - 1, 1],
      [2 * size, 2],
    ] as const) {
      expect((await log.read({ from: 0, maxBytes })).batches.length).toBe(count)
    }
    for (const maxBytes of [1, 61, 100, 1e6]) {
      expect(await offsetsOf(log, { from: 3, maxBytes })).toEqual(range(3, 20))
    }
  })

  test('follows the tail, record by record, until the signal is given', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    const end = new AbortController()
    const seen: number[] = []
    const following = (async () => {
      for await (const record of log
        .reader({ from: 0, follow: true, signal: end.signal })
        .records()) {
        seen.push(record.offset)
      }
    })()
    for (let round = 0; round < 10; round++) {
      await appendValues(log, 4, 3)
      await expect.poll(() => seen.length, { interval: 1 }).toBe(log.logEndOffset)
    }
    end.abort()
    await following
    expect(seen).toEqual(range(0, 40))
    await directory.close()
  })
})

describe('reading', () => {
  test('outside the log is refused, at its end it is empty', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    await appendValues(log, 10, 5)
    await log.deleteSegmentsBefore(3)
    for (const from of [0, 2, 11, 2 ** 50]) {
      const error = await errorOf(log.read({ from }), OffsetOutOfRangeError)
      expect(error).toMatchObject({ offset: from, logStartOffset: 3, logEndOffset: 10 })
      await errorOf(log.reader({ from }).nextBatches(), OffsetOutOfRangeError)
    }
    expect((await log.read({ from: 10 })).batches).toEqual([])
    expect(await offsetsOf(log, { from: 3 })).toEqual(range(3, 10))
    await directory.close()
  })

  test('refuses arguments that make no sense', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    const bad: Partial<Record<keyof ReadOptions, unknown>>[] = [
      { from: -1 },
      { from: 0.5 },
      { from: '0' },
      { maxBytes: 0 },
      { maxBytes: Number.NaN },
      { isolation: 'dirty' },
    ]
    for (const options of bad) {
      const all = { from: 0, ...options } as ReadOptions
      await errorOf(log.read(all), InvalidArgumentError)
      expect(() => log.reader(all)).toThrow(InvalidArgumentError)
    }
    await directory.close()
  })

  test('sees nothing beyond the high watermark, while it rolls and flushes', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { acks: 'written' })
    await appendValues(log, 6, 2)
    await log.flush()
    place.fs.holdFlushes()
    const flushed = log.append({ value: 'v6', timestamp: 1006 }, { acks: 'flushed' })
    await expect.poll(() => log.logEndOffset, { interval: 1 }).toBe(7)
    expect(log.highWatermark).toBe(6)
    expect(await offsetsOf(log)).toEqual(range(0, 6))
    expect((await log.read({ from: 6 })).batches).toEqual([])
    expect((await log.read({ from: 7 })).batches).toEqual([])
    expect(await log.offsetForTimestamp(1006)).toBeNull()
    place.fs.resumeFlushes()
    await flushed
    expect(await offsetsOf(log)).toEqual(range(0, 7))
    await directory.close()
  })

  test('gives batches of their own memory: they stay as they are', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    await appendValues(log, 50, 7)
    const reader = log.reader({ from: 0, follow: true, maxBytes: 200 })
    const batches = []
    for (let count = 0; count < 50; count++) batches.push((await reader.next()).value)
    await appendValues(log, 100, 10)
    const found = batches.map((batch) => [...(batch?.records() ?? [])][0]?.value?.toString())
    expect(found).toEqual(values(0, 50).map(({ value }) => value))
    await directory.close()
  })

  test('batch by batch, in groups and by record can be mixed without loss', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    await appendValues(log, 30, 10)
    const reader = log.reader({ from: 0 })
    expect((await reader.next()).value?.baseOffset).toBe(0)
    expect(reader.nextOffset).toBe(1)
    expect((await reader.nextBatches())?.map(({ baseOffset }) => baseOffset)).toEqual(range(1, 10))
    expect((await reader.next()).value?.baseOffset).toBe(10)
    const rest: number[] = []
    for await (const record of reader.records()) rest.push(record.offset)
    expect(rest).toEqual(range(11, 30))
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    expect(await reader.nextBatches()).toBeNull()
    await directory.close()
  })

  test('ends when the loop is left', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    await appendValues(log, 5)
    const reader = log.reader({ from: 0, follow: true })
    for await (const batch of reader) if (batch.baseOffset === 2) break
    expect(await reader.nextBatches()).toBeNull()
    {
      await using other = log.reader({ from: 5, follow: true })
      expect(other.nextOffset).toBe(5)
    }
    await directory.close()
  })

  test('of a follower ends with an error when the log is closed or goes offline', async () => {
    const one = await createLog(simulatedPlace())
    const closing = one.log.reader({ from: 0, follow: true }).nextBatches()
    await one.directory.close()
    await errorOf(closing, LogClosedError)
    await errorOf(one.log.read({ from: 0 }), LogClosedError)
    expect(() => one.log.reader({ from: 0 })).toThrow(LogClosedError)

    const place = simulatedPlace()
    const two = await createLog(place)
    const waiting = two.log.reader({ from: 0, follow: true }).nextBatches()
    const caught = errorOf(waiting, LogOfflineError)
    place.fs.injectFault({ kind: 'EIO', isLasting: true })
    await errorOf(two.log.append({ value: 'x' }), LogOfflineError)
    await caught
    place.fs.clearFaults()
    await two.directory.close().catch(() => undefined)
  })

  test('of an aborted signal gives nothing', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    await appendValues(log, 5)
    const reader = log.reader({ from: 0, follow: true, signal: AbortSignal.abort() })
    expect(await reader.nextBatches()).toBeNull()
    await directory.close()
  })

  test('stops at damage with the place, having given what came before', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    await appendValues(first.log, 20, 10)
    await first.directory.close()
    place.fs.flipBit(`/data/t-0/${fileOf(0)}`, 8 * (71 * 4 + 65))
    const { directory, log } = await reopenLog(place)
    const reader = log.reader({ from: 0 })
    expect((await reader.nextBatches())?.map(spanOf).at(-1)).toEqual([3, 3])
    const events = await eventsOf(logChannels.corruption, async () => {
      const error = await errorOf(reader.nextBatches(), CorruptLogError)
      expect(error.damage).toMatchObject({
        path: `/data/t-0/${fileOf(0)}`,
        firstOffset: 4,
      })
      expect(error.damage.position).toBeGreaterThan(0)
    })
    expect(events.length).toBe(1)
    // Who does not ask for the checks gets the bytes as they are.
    const unchecked = await log.read({ from: 4, verifyChecksums: false })
    expect(unchecked.batches[0]?.isChecksumValid()).toBe(false)
    // What lies behind can be read when it is asked for.
    expect(await offsetsOf(log, { from: 10 })).toEqual(range(10, 20))
    await directory.close()
  })

  test('is right though an index is wrong, and says so', async () => {
    const place = simulatedPlace()
    const options = { indexIntervalBytes: 100 }
    const first = await createLog(place, options)
    await appendValues(first.log, 40, 20)
    await first.directory.close()
    const index = bytesAt(place, `t-0/${fileOf(0, 'index')}`)
    for (let at = 4; at < index.length; at += 8)
      index.writeUInt32BE(index.readUInt32BE(at) + 71, at)
    putBytes(place, `t-0/${fileOf(0, 'index')}`, index)
    const { directory, log } = await reopenLog(place, options)
    const events = await eventsOf(logChannels.corruption, async () => {
      for (const from of range(0, 40)) {
        expect(await offsetsOf(log, { from })).toEqual(range(from, 40))
      }
    })
    expect(events.length).toBeGreaterThan(0)
    await directory.close()
  })

  test('finds every offset, whatever the batches, segments, limits and restarts', async () => {
    const shape = fc.record({
      batches: fc.array(
        fc.record({
          count: fc.integer({ min: 1, max: 6 }),
          bytes: fc.integer({ min: 0, max: 300 }),
          roll: fc.boolean(),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      indexIntervalBytes: fc.integer({ min: 0, max: 1000 }),
      segmentBytes: fc.integer({ min: 2500, max: 6000 }),
      maxBytes: fc.integer({ min: 1, max: 3000 }),
    })
    await checkProperty(shape, 40, async ({ batches, maxBytes, ...options }) => {
      const place = simulatedPlace()
      const { directory, log } = await createLog(place, { ...options, acks: 'written' })
      for (const { count, bytes, roll } of batches) {
        const value = Buffer.alloc(bytes, 'x')
        await log.append(range(0, count).map(() => ({ value, timestamp: 1 })))
        if (roll) await log.roll()
      }
      const end = log.logEndOffset
      const check = async (opened: Log): Promise<void> => {
        for (let from = 0; from <= end; from += 1 + Math.floor(end / 10)) {
          expect(await offsetsOf(opened, { from, maxBytes })).toEqual(range(from, end))
        }
      }
      await check(log)
      await directory.close()
      const again = await reopenLog(place, options)
      await check(again.log)
      await again.directory.close()
      expect(place.fs.openFiles()).toEqual([])
    })
  })

  test('served from memory gives the same as from the file', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { acks: 'written', segmentBytes: 5000 })
    const following = log.reader({ from: 0, follow: true })
    const seen: string[] = []
    for (let round = 0; round < 30; round++) {
      await log.append(range(0, 1 + (round % 5)).map(() => ({ value: `r${round}`, timestamp: 1 })))
      while (following.nextOffset < log.logEndOffset) {
        const { value: batch } = await following.next()
        if (batch !== undefined) seen.push(batch.bytes.toString('hex'))
      }
    }
    const whole: string[] = []
    for await (const { bytes } of log.reader({ from: 0 })) whole.push(bytes.toString('hex'))
    expect(seen).toEqual(whole)
    expect(await readAll(log)).toHaveLength(log.logEndOffset)
    await directory.close()
  })
})
