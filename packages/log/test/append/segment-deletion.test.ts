import { InvalidArgumentError } from '@varve/record'
import { afterEach, describe, expect, test } from 'vitest'
import { logChannels } from '../../src/base/diagnostics.ts'
import { LogClosedError, OffsetOutOfRangeError } from '../../src/base/log-errors.ts'
import { OffsetCheckpointFile } from '../../src/format/offset-checkpoint.ts'
import { ManualClock } from '../../src/testing/index.ts'
import {
  appendValues,
  bytesAt,
  createLog,
  errorOf,
  eventsOf,
  fileOf,
  namesIn,
  type Place,
  places,
  range,
  readAll,
  removePlace,
  reopenLog,
  simulatedPlace,
  TestProducer,
  values,
} from '../log-fixture.ts'

describe.each(places)('deleting segments on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test.each([
    ['within a segment', 15, [10, 20, 30]],
    ['at a boundary', 20, [20, 30]],
    ['within the active one', 33, [30]],
    ['of everything', 35, [35]],
    ['of nothing', 0, [0, 10, 20, 30]],
  ] as const)(
    'before an offset %s keeps what is left over a restart',
    async (_case, offset, bases) => {
      place = makePlace()
      const { directory, log } = await createLog(place)
      await appendValues(log, 35, 10)
      const before = log.segments()
      const deleted = await log.deleteSegmentsBefore(offset)
      const left = before.filter(({ baseOffset }) => bases.includes(baseOffset as never))
      expect(deleted).toEqual(before.slice(0, before.length - left.length))
      const check = async (opened: typeof log): Promise<void> => {
        expect(opened.segments().map(({ baseOffset }) => baseOffset)).toEqual(bases)
        expect(opened).toMatchObject({
          logStartOffset: offset,
          logEndOffset: 35,
          highWatermark: 35,
        })
        expect(await readAll(opened)).toEqual(values(offset, 35))
      }
      await check(log)
      await directory.close()
      const again = await reopenLog(place)
      await check(again.log)
      await appendValues(again.log, 2)
      expect(await readAll(again.log)).toEqual(values(offset, 37))
      await again.directory.close()
      const kinds = namesIn(place).filter((name) => /^\d{20}\./.test(name))
      const basesLeft = new Set(kinds.filter((name) => name.endsWith('.log')))
      expect(basesLeft).toEqual(new Set(bases.map((base) => fileOf(base))))
      expect(kinds.filter((name) => name.endsWith('.deleted'))).toEqual([])
    },
  )
})

describe('deleting segments', () => {
  test('never goes beyond the high watermark, nor back', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 20, 10)
    place.fs.holdFlushes()
    const appending = log.append({ value: 'v20', timestamp: 1020 })
    await expect.poll(() => log.logEndOffset, { interval: 1 }).toBe(21)
    const deleting = errorOf(log.deleteSegmentsBefore(22), OffsetOutOfRangeError)
    place.fs.resumeFlushes()
    await appending
    await deleting
    await log.deleteSegmentsBefore(15)
    expect(await log.deleteSegmentsBefore(5)).toEqual([])
    expect(log.logStartOffset).toBe(15)
    for (const offset of [-1, 0.5, Number.NaN, 2 ** 60]) {
      await errorOf(log.deleteSegmentsBefore(offset), InvalidArgumentError)
    }
    await directory.close()
    await errorOf(log.deleteSegmentsBefore(16), LogClosedError)
  })

  test('makes the start durable before the first file goes', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    await log.flush()
    await log.roll()
    await log.flush()
    place.fs.settle()
    await log.deleteSegmentsBefore(25)
    const done = place.fs.operations
    await directory.close()
    for (const moment of range(0, done + 1)) {
      for (const variant of [
        'none',
        'all',
        'namesOnly',
        { mode: 'harsh', seed: moment },
      ] as const) {
        const left = simulatedPlace(place.fs.crashState(moment, variant))
        const { directory: again, log: opened } = await reopenLog(left)
        const start = opened.logStartOffset
        expect([0, 25]).toContain(start)
        if (moment === done) expect(start).toBe(25)
        expect(await readAll(opened)).toEqual(values(start, 30))
        expect(opened.segments()[0]?.baseOffset).toBe(start === 0 ? 0 : 20)
        await again.close()
      }
    }
  })

  test('renames first, and removes after the delay, for readers in other processes', async () => {
    const place = simulatedPlace()
    const clock = new ManualClock()
    const { directory, log } = await createLog(place, { fileDeleteDelayMs: 1000 }, { clock })
    await appendValues(log, 30, 10)
    const bytes = bytesAt(place, `t-0/${fileOf(0)}`)
    await log.deleteSegmentsBefore(10)
    const names = ['log', 'index', 'timeindex', 'digest'].map(
      (kind) => `${fileOf(0, kind)}.deleted`,
    )
    expect(namesIn(place)).toEqual(expect.arrayContaining(names))
    expect(bytesAt(place, `t-0/${fileOf(0)}.deleted`)).toEqual(bytes)
    clock.advance(999)
    expect(namesIn(place)).toEqual(expect.arrayContaining(names))
    clock.advance(1)
    const left = (): string[] => namesIn(place).filter((name) => name.endsWith('.deleted'))
    await expect.poll(left).toEqual([])
    // What still waits at the end goes with it, or at the next opening.
    await log.deleteSegmentsBefore(20)
    const killed = simulatedPlace(place.fs.fork())
    await directory.close()
    expect(left()).toEqual([])
    const again = await reopenLog(killed)
    expect(namesIn(killed).filter((name) => name.endsWith('.deleted'))).toEqual([])
    expect(again.log.recoveryReport.finishedFiles).toContain(`${fileOf(10)}.deleted`)
    await again.directory.close()
  })

  test('waits for snapshots: their files stay until they are released', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    const [one, two] = [log.snapshot(), log.snapshot()]
    await log.deleteSegmentsBefore(25)
    expect(log.segments().map(({ baseOffset }) => baseOffset)).toEqual([20])
    const there = (): boolean => namesIn(place).includes(fileOf(0))
    one.release()
    one.release()
    expect(there()).toBe(true)
    two.release()
    expect(there()).toBe(false)
    await directory.close()
  })

  test('of a snapshot that is released after closing leaves the files to the next opening', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    const snapshot = log.snapshot()
    await log.deleteSegmentsBefore(25)
    await directory.close()
    const again = await reopenLog(place)
    expect(namesIn(place)).not.toContain(fileOf(0))
    await appendValues(again.log, 5)
    const names = namesIn(place)
    snapshot.release()
    expect(namesIn(place)).toEqual(names)
    expect(await readAll(again.log)).toEqual(values(25, 35))
    await again.directory.close()
    expect(place.fs.openFiles()).toEqual([])
  })

  test('takes producer snapshots and leader epochs along, and says what it did', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place, { leaderEpoch: 1 })
    const producer = new TestProducer(5)
    await log.appendBatch(producer.batch(10))
    await log.roll()
    await directory.close()
    const second = await reopenLog(place, { leaderEpoch: 4 })
    await appendValues(second.log, 20, 10)
    expect(bytesAt(place, 't-0/leader-epoch-checkpoint').toString()).toBe('0\n2\n1 0\n4 10\n')
    const [first, other] = second.log.segments()
    const events = await eventsOf(logChannels.delete, () =>
      second.log.deleteSegmentsBefore(20, 'retentionTime'),
    )
    expect(events).toEqual([
      { log: 't-0', segments: [first, other], logStartOffset: 20, reason: 'retentionTime' },
    ])
    expect(bytesAt(place, 't-0/leader-epoch-checkpoint').toString()).toBe('0\n1\n4 20\n')
    expect(namesIn(place)).not.toContain(fileOf(10, 'snapshot'))
    expect(namesIn(place)).toContain(fileOf(20, 'snapshot'))
    // What producers have sent is still known.
    await second.log.appendBatch(producer.batch(1))
    await second.directory.close()
  })

  test('is known to Kafka: the start stands in its checkpoint file', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    await appendValues(log, 30, 10)
    await log.deleteSegmentsBefore(15)
    const file = new OffsetCheckpointFile(place.fs, '/data/log-start-offset-checkpoint')
    expect(file.readOne('t-0')).toBe(15)
    await directory.close()
  })
})
