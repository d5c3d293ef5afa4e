import { describe, expect, test } from 'vitest'
import { CorruptIndexError } from '../src/base/log-errors.ts'
import type { Log } from '../src/log.ts'
import { Random, seedFromEnvironment } from '../src/testing/index.ts'
import {
  appendValues,
  createLog,
  errorOf,
  fileOf,
  namesIn,
  offsetsOf,
  putBytes,
  range,
  reopenLog,
  simulatedPlace,
  TestProducer,
} from './log-fixture.ts'

const transactional = { isTransactional: true } as const
const coordinator = { origin: 'coordinator' } as const
const committed = { isolation: 'committed' } as const

async function append(log: Log, producer: TestProducer, count: number): Promise<void> {
  await log.appendBatch(producer.batch(count, transactional))
}

async function end(log: Log, producer: TestProducer, type: 'abort' | 'commit'): Promise<void> {
  await log.appendBatch(producer.marker(type), coordinator)
}

describe('committed reads', () => {
  test('leave out aborted records and all markers, over several segments', async () => {
    const place = simulatedPlace()
    const { directory, log } = await createLog(place)
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    await append(log, one, 2) // 0, 1
    await append(log, two, 1) // 2
    await log.roll()
    await appendValues(log, 2) // 3, 4
    await append(log, one, 1) // 5
    await log.roll()
    await end(log, one, 'abort') // 6
    await append(log, one, 1) // 7
    await end(log, two, 'commit') // 8
    await end(log, one, 'commit') // 9
    const check = async (opened: Log): Promise<void> => {
      expect(await offsetsOf(opened, committed)).toEqual([2, 3, 4, 7])
      expect(await offsetsOf(opened, { ...committed, from: 5 })).toEqual([7])
      // Uncommitted reads see everything; the markers are control batches.
      expect(await offsetsOf(opened)).toEqual(range(0, 10))
      const read = await opened.read({ from: 0, ...committed })
      expect(read).toMatchObject({ lastStableOffset: 10, highWatermark: 10 })
      expect(read.abortedTransactions).toEqual([
        { version: 0, producerId: 1, firstOffset: 0, lastOffset: 6, lastStableOffset: 2 },
      ])
      expect((await opened.read({ from: 0 })).abortedTransactions).toEqual([])
      expect(opened.abortedTransactions(6, 1)).toEqual(read.abortedTransactions)
      expect(opened.abortedTransactions(7, 10)).toEqual([])
      const late = await opened.read({ from: 7, ...committed })
      expect(late.abortedTransactions).toEqual([])
    }
    const newest = log.producers().map(({ producerId, epoch, batches }) => {
      return [producerId, epoch, batches.at(-1)?.lastOffset]
    })
    expect(newest).toEqual([
      [1, 0, 7],
      [2, 0, 2],
    ])
    await check(log)
    expect(namesIn(place).filter((name) => name.endsWith('.txnindex'))).toEqual([])
    await log.roll()
    await log.flush()
    await check(log)
    const killed = simulatedPlace(place.fs.fork())
    await directory.close()
    expect(namesIn(place)).toContain(fileOf(6, 'txnindex'))
    for (const left of [place, killed]) {
      const again = await reopenLog(left)
      await check(again.log)
      await again.directory.close()
    }
  })

  test('stop at the first open transaction, whoever else commits behind it', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    await appendValues(log, 2)
    await append(log, one, 1) // 2
    await append(log, two, 1) // 3
    await end(log, two, 'commit') // 4
    await appendValues(log, 1) // 5
    expect(log.lastStableOffset).toBe(2)
    expect(await offsetsOf(log, committed)).toEqual([0, 1])
    expect((await log.read({ from: 2, ...committed })).batches).toEqual([])
    expect((await log.read({ from: 5, ...committed })).batches).toEqual([])
    await end(log, one, 'abort') // 6
    expect(log.lastStableOffset).toBe(7)
    expect(await offsetsOf(log, committed)).toEqual([0, 1, 3, 5])
    await directory.close()
  })

  test('follow: records come when their transaction ends, at once', async () => {
    const { directory, log } = await createLog(simulatedPlace())
    const seen: number[] = []
    const stop = new AbortController()
    const following = (async () => {
      const reader = log.reader({ from: 0, follow: true, signal: stop.signal, ...committed })
      for await (const record of reader.records()) seen.push(record.offset)
    })()
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    await append(log, one, 2)
    await append(log, two, 1)
    await appendValues(log, 1)
    expect(seen).toEqual([])
    await end(log, two, 'abort')
    expect(seen).toEqual([])
    await end(log, one, 'commit')
    await expect.poll(() => seen, { interval: 1 }).toEqual([0, 1, 3])
    await append(log, one, 1)
    await end(log, one, 'abort')
    await appendValues(log, 1)
    await expect.poll(() => seen, { interval: 1 }).toEqual([0, 1, 3, 8])
    stop.abort()
    await following
    await directory.close()
  })

  test('refuse to guess where a transaction index cannot be read', async () => {
    const place = simulatedPlace()
    const first = await createLog(place)
    const one = new TestProducer(1)
    await append(first.log, one, 2)
    await end(first.log, one, 'abort')
    await appendValues(first.log, 2)
    await first.log.roll()
    await first.directory.close()
    putBytes(place, `t-0/${fileOf(0, 'txnindex')}`, Buffer.from('no entries here'))
    const { directory, log } = await reopenLog(place)
    await errorOf(log.read({ from: 0, ...committed }), CorruptIndexError)
    const reader = log.reader({ from: 0, ...committed })
    await errorOf(reader.nextBatches(), CorruptIndexError)
    // And do not go on behind it as if nothing was.
    await errorOf(reader.nextBatches(), CorruptIndexError)
    expect(await offsetsOf(log)).toEqual(range(0, 5))
    await directory.close()
  })

  test('agree with a model, whatever the producers do', async () => {
    const random = new Random(seedFromEnvironment('committed-reads'))
    for (let run = 0; run < 15; run++) {
      const place = simulatedPlace()
      const options = { segmentBytes: random.between(300, 2000), indexIntervalBytes: 100 }
      let { directory, log } = await createLog(place, options)
      const producers = range(0, 4).map((id) => new TestProducer(id))
      const open = new Map<number, number[]>()
      const fates = new Map<number, 'visible' | 'hidden'>()
      for (let step = 0; step < 60; step++) {
        const producer = random.pick(producers)
        const started = open.get(producer.producerId)
        const first = log.logEndOffset
        if (random.bool(0.1)) {
          await directory.close()
          ;({ directory, log } = await reopenLog(place, options))
        } else if (random.bool(0.2)) {
          await appendValues(log, 1)
          fates.set(first, 'visible')
        } else if (started !== undefined && random.bool()) {
          const type = random.bool() ? 'abort' : 'commit'
          await end(log, producer, type)
          fates.set(first, 'hidden')
          for (const offset of started) fates.set(offset, type === 'commit' ? 'visible' : 'hidden')
          open.delete(producer.producerId)
        } else {
          const count = random.between(1, 3)
          await append(log, producer, count)
          const offsets = range(first, first + count)
          open.set(producer.producerId, [...(started ?? []), ...offsets])
        }
        const stable = Math.min(log.logEndOffset, ...[...open.values()].flat())
        expect(log.lastStableOffset).toBe(stable)
      }
      const stable = log.lastStableOffset
      const expected = range(0, stable).filter((offset) => fates.get(offset) === 'visible')
      expect(await offsetsOf(log, committed)).toEqual(expected)
      const maxBytes = random.between(1, 500)
      expect(await offsetsOf(log, { ...committed, maxBytes })).toEqual(expected)
      await directory.close()
    }
  })
})
