import { InvalidArgumentError, RecordBatch } from '@varve/record'
import { afterEach, describe, expect, test } from 'vitest'
import { logChannels, type RollEvent } from '../src/base/diagnostics.ts'
import { BatchTooLargeError, InvalidBatchError, LogClosedError } from '../src/base/log-errors.ts'
import type { LogOptions } from '../src/base/log-options.ts'
import type { Log } from '../src/log.ts'
import { ManualClock } from '../src/testing/index.ts'
import {
  appendValues,
  batchOf,
  createLog,
  errorOf,
  eventsOf,
  fileOf,
  namesIn,
  offsetsOf,
  openDirectory,
  type Place,
  places,
  range,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  TestProducer,
  values,
} from './log-fixture.ts'

describe.each(places)('a log on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'holds keys, values, headers and nulls as they were appended, compressed with %s',
    async (compressionType) => {
      place = makePlace()
      const { directory, log } = await createLog(place, { compressionType })
      await log.append([
        { key: 'k', value: 'v', headers: [{ key: 'h', value: 'x' }], timestamp: 5 },
        { key: null, value: null, headers: [{ key: '', value: null }], timestamp: 3 },
        { key: Buffer.alloc(0), value: Buffer.alloc(0), timestamp: 4 },
        { value: Buffer.alloc(50_000, 'abc'), timestamp: 9 },
      ])
      await directory.close()
      const again = await reopenLog(place)
      const { batches } = await again.log.read({ from: 0 })
      expect(batches.map((batch) => batch.compressionType)).toEqual([compressionType])
      const records = [...(batches[0]?.records() ?? [])]
      expect(
        records.map(({ offset, timestamp, key, value, headers }) => ({
          offset,
          timestamp,
          key: key?.toString() ?? null,
          value: value === null ? null : value.toString().slice(0, 6),
          headers: headers.map((header) => [header.key, header.value?.toString() ?? null]),
        })),
      ).toEqual([
        { offset: 0, timestamp: 5, key: 'k', value: 'v', headers: [['h', 'x']] },
        { offset: 1, timestamp: 3, key: null, value: null, headers: [['', null]] },
        { offset: 2, timestamp: 4, key: '', value: '', headers: [] },
        { offset: 3, timestamp: 9, key: null, value: 'abcabc', headers: [] },
      ])
      await again.directory.close()
    },
  )

  test('says how far it is', async () => {
    place = makePlace()
    const { directory, log } = await createLog(place)
    expect(log).toMatchObject({ name: 't-0', directory: `${place.path}/t-0`, isFailed: false })
    const offsets = { logStartOffset: 0, logEndOffset: 0, highWatermark: 0, flushedOffset: 0 }
    expect(log).toMatchObject(offsets)
    await log.append({ value: 'a', timestamp: 1 }, { acks: 'written' })
    expect(log).toMatchObject({ ...offsets, logEndOffset: 1, highWatermark: 1, flushedOffset: 0 })
    await log.flush()
    const all = { logEndOffset: 1, highWatermark: 1, flushedOffset: 1, recoveryPoint: 1 }
    expect(log).toMatchObject({ ...offsets, ...all, lastStableOffset: 1 })
    await directory.close()
  })
})

describe('appending', () => {
  test('gives dense offsets, all or nothing for one call', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    const results = await Promise.all([
      log.append({ value: 'a' }),
      log.append([{ value: 'b' }, { value: 'c' }]),
      log.appendBatch(batchOf([{ value: 'd' }, { value: 'e' }, { value: 'f' }])),
      log.append({ value: 'g' }),
    ])
    const spans = results.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])
    expect(spans).toEqual([
      [0, 0],
      [1, 2],
      [3, 5],
      [6, 6],
    ])
    const found = (await readAll(log)).map(({ value }) => value)
    expect(found.join('')).toBe('abcdefg')
    await directory.close()
  })

  test('lets the caller use its memory again at once', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    const value = Buffer.from('before')
    const appending = log.append({ value })
    value.fill(0)
    await appending
    expect((await readAll(log))[0]?.value).toBe('before')
    await directory.close()
  })

  test('stamps the leader epoch, which outlives restarts and only rises', async () => {
    const place = simulatedPlace()
    const first = await createLog(place, { leaderEpoch: 2 })
    await appendValues(first.log, 1)
    await first.directory.close()
    const second = await reopenLog(place)
    await appendValues(second.log, 1)
    await second.log.appendBatch(batchOf([{ value: 'x' }], { leaderEpoch: 9 }))
    await second.directory.close()
    const lower = await openDirectory(place, { leaderEpoch: 1 })
    expect(lower.failures.get('t-0')).toBeInstanceOf(InvalidArgumentError)
    await lower.close()
    const third = await reopenLog(place, { leaderEpoch: 7 })
    await appendValues(third.log, 1)
    const { batches } = await third.log.read({ from: 0 })
    expect(batches.map(({ leaderEpoch }) => leaderEpoch)).toEqual([2, 2, 2, 7])
    await third.directory.close()
  })

  test('refuses what is no record, no batch, or no setting', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    const bad = [
      () => log.append([]),
      () => log.append(null as never),
      () => log.append([{ value: 'a' }, 7 as never]),
      () => log.append({ value: 5 as never }),
      () => log.append({ timestamp: 0.5 }),
      () => log.append({ value: 'a' }, { acks: 'all' as never }),
      () => log.append({ value: 'a' }, { compressionType: 'brotli' as never }),
      () => log.appendBatch({} as never),
      () => log.appendBatch(batchOf([{ value: 'a' }]), { acks: 1 as never }),
      () => log.appendBatch(batchOf([{ value: 'a' }]), { origin: 'recovery' as never }),
    ]
    for (const append of bad) await errorOf(append(), InvalidArgumentError)
    expect(log.logEndOffset).toBe(0)
    await log.append({ value: 'a' })
    await directory.close()
    await errorOf(log.append({ value: 'a' }), LogClosedError)
    await errorOf(log.appendBatch(batchOf([{ value: 'a' }])), LogClosedError)
    await errorOf(log.flush(), LogClosedError)
    await errorOf(log.roll(), LogClosedError)
  })

  test('refuses batches that a leader would refuse, and none of their bytes is written', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { maxMessageBytes: 500 })
    const good = batchOf([{ value: 'a' }, { value: 'b' }])
    const damaged = new RecordBatch(Buffer.from(batchOf([{ value: 'a' }]).bytes))
    damaged.bytes[66] = (damaged.bytes[66] ?? 0) ^ 1
    await expect(log.appendBatch(damaged)).rejects.toMatchObject({ code: 'VARVE_CORRUPT_BATCH' })
    const large = batchOf([{ value: Buffer.alloc(500) }])
    const error = await errorOf(log.appendBatch(large), BatchTooLargeError)
    expect(error).toMatchObject({ sizeBytes: large.sizeBytes, limitBytes: 500 })
    await errorOf(log.append({ value: Buffer.alloc(500) }), BatchTooLargeError)
    const marker = new TestProducer(1).marker('commit')
    await errorOf(log.appendBatch(marker), InvalidBatchError)
    expect(place.fs.bytesOf(`/data/t-0/${fileOf(0)}`).length).toBe(0)
    await log.appendBatch(good)
    expect(await offsetsOf(log)).toEqual([0, 1])
    await directory.close()
  })

  test('of an idempotent producer happens once, also over a restart', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    const producer = new TestProducer(8)
    const batches = range(0, 7).map(() => producer.batch(2))
    for (const batch of batches) await first.log.appendBatch(batch)
    // The newest five are known; what is older is out of order.
    for (const index of batches.keys()) {
      const copy = batchOf([{ value: 'p8-0' }, { value: 'p8-1' }], {
        producerId: 8,
        producerEpoch: 0,
        baseSequence: index * 2,
      })
      const appending = first.log.appendBatch(copy)
      if (index < 2) {
        await expect(appending).rejects.toMatchObject({ code: 'VARVE_OUT_OF_ORDER_SEQUENCE' })
        continue
      }
      const [baseOffset, lastOffset] = [index * 2, index * 2 + 1]
      expect(await appending).toEqual({ baseOffset, lastOffset, isDuplicate: true })
    }
    await first.directory.close()
    const { directory, log } = await reopenLog(place)
    const again = { producerId: 8, producerEpoch: 0, baseSequence: 12 }
    const repeated = await log.appendBatch(batchOf([{ value: 'a' }, { value: 'b' }], again))
    expect(repeated).toEqual({ baseOffset: 12, lastOffset: 13, isDuplicate: true })
    expect(log.logEndOffset).toBe(14)
    await log.appendBatch(producer.batch(1))
    expect(log.logEndOffset).toBe(15)
    await directory.close()
  })

  test('forgets producers that have sent nothing for so long, when it rolls', async () => {
    const clock = new ManualClock()
    const place = simulatedPlace()
    const settings = { producerIdExpirationMs: 1000 }
    const { directory, log } = await createLog(place, settings, { clock })
    const producer = new TestProducer(8)
    const batch = producer.batch(1)
    await log.appendBatch(batch)
    clock.advance(10 * 86_400_000)
    await log.roll()
    // Unknown again: any sequence is accepted, as from a producer that is new.
    const late = await log.appendBatch(producer.batch(1))
    expect(late).toMatchObject({ baseOffset: 1, isDuplicate: false })
    await directory.close()
  })
})

test('a log that has settled has all files of its sealed segments', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place, { acks: 'none' })
  for (let segment = 0; segment < 3; segment++) {
    await appendValues(log, 2)
    await log.roll()
  }
  await log.settle()
  const digests = namesIn(place).filter((name) => name.endsWith('.digest'))
  expect(digests).toEqual([0, 2, 4].map((baseOffset) => fileOf(baseOffset, 'digest')))
  expect(log.flushedOffset).toBe(6)
  await directory.close()
})

describe('the active segment is sealed', () => {
  const week = 7 * 86_400_000

  async function reasonsOf(
    options: LogOptions,
    act: (log: Log, clock: ManualClock) => Promise<unknown>,
  ): Promise<string[]> {
    const clock = new ManualClock()
    const { directory, log } = await createLog(simulatedPlace(), options, { clock })
    const events = await eventsOf<RollEvent>(logChannels.roll, () => act(log, clock))
    await directory.close()
    return events.map(({ reason }) => reason)
  }

  const at = (log: Log, timestamp: number) => log.append({ value: 'v', timestamp })

  test('by record time, when it is passed, not when it is reached', async () => {
    const options = { segmentMs: 1000 }
    expect(
      await reasonsOf(options, async (log) => {
        await at(log, 5000)
        await at(log, 6000)
      }),
    ).toEqual([])
    expect(
      await reasonsOf(options, async (log) => {
        await at(log, 5000)
        await at(log, 6001)
      }),
    ).toEqual(['time'])
    // Counted from the first batch, and not backwards.
    expect(
      await reasonsOf(options, async (log) => {
        await at(log, 5000)
        for (const timestamp of [5900, 100, 6000]) await at(log, timestamp)
        await at(log, 6001)
        await at(log, 6500)
      }),
    ).toEqual(['time'])
  })

  test('by a record that is stamped far in the future, at once', async () => {
    expect(
      await reasonsOf({}, async (log) => {
        await at(log, 1000)
        await at(log, 9e14)
        await at(log, 1000)
      }),
    ).toEqual(['time'])
  })

  test('by the clock where records have no time', async () => {
    expect(
      await reasonsOf({ segmentMs: 1000 }, async (log, clock) => {
        await at(log, -1)
        clock.advance(1000)
        await at(log, -1)
        clock.advance(1)
        await at(log, -1)
        await at(log, -1)
      }),
    ).toEqual(['time'])
  })

  test('never when it is empty or nothing is appended', async () => {
    expect(
      await reasonsOf({ segmentMs: 1000 }, async (log, clock) => {
        clock.advance(10 * week)
        await at(log, -1)
        clock.advance(10 * week)
        await log.flush()
      }),
    ).toEqual([])
    expect(await reasonsOf({ segmentMs: 1000 }, (log) => at(log, 9e14))).toEqual([])
    expect(await reasonsOf({}, (log) => log.roll())).toEqual([])
  })

  test('earlier by a random part of the jitter, drawn for each segment', async () => {
    // The fixture's random number is a half.
    const options = { segmentMs: 1000, segmentJitterMs: 400 }
    expect(
      await reasonsOf(options, async (log) => {
        await at(log, 5000)
        await at(log, 5800)
      }),
    ).toEqual([])
    expect(
      await reasonsOf(options, async (log) => {
        await at(log, 5000)
        await at(log, 5801)
      }),
    ).toEqual(['time'])
    // Not by more than its age.
    expect(
      await reasonsOf({ segmentMs: 1000, segmentJitterMs: 1e9 }, async (log) => {
        await at(log, 5000)
        await at(log, 5500)
      }),
    ).toEqual([])
  })

  test('when its offsets would pass the range of an index', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    await first.directory.close()
    // As compaction can leave it: one batch, far behind the segment's base offset.
    const far = batchOf([{ value: 'far' }], { baseOffset: 2 ** 31 - 2, leaderEpoch: 0 })
    place.fs.writeBytes(`/data/t-0/${fileOf(0)}`, far.bytes)
    await place.fs.remove('/data/.kafka_cleanshutdown')
    const { directory, log } = await reopenLog(place)
    expect(log.logEndOffset).toBe(2 ** 31 - 1)
    const events = await eventsOf<RollEvent>(logChannels.roll, async () => {
      await log.append({ value: 'last', timestamp: 1000 })
      await log.append({ value: 'first', timestamp: 1000 })
    })
    expect(events.map(({ reason, baseOffset }) => [reason, baseOffset])).toEqual([
      ['offsetRange', 2 ** 31],
    ])
    expect(await offsetsOf(log)).toEqual([2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31])
    expect(await offsetsOf(log, { from: 5 })).toEqual([2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31])
    await directory.close()
  })
})

test('the end of a log survives the deletion of everything in it, and restarts', async () => {
  const place = simulatedPlace()
  const { directory, log } = await createLog(place)
  await appendValues(log, 12, 5)
  await log.deleteSegmentsBefore(12)
  expect(log.segments()).toMatchObject([{ baseOffset: 12, sizeBytes: 0 }])
  await directory.close()
  for (let times = 0; times < 2; times++) {
    const again = await reopenLog(place)
    expect(again.log).toMatchObject({ logStartOffset: 12, logEndOffset: 12 })
    await again.directory.close()
  }
  const killed = await reopenLog(simulatedPlace(place.fs.fork()))
  await appendValues(killed.log, 1)
  expect(await readAll(killed.log)).toEqual(values(12, 13))
  await killed.directory.close()
})
