import { openVarve } from '@varve/broker'
import { nodeFileSystem, systemClock } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { keysOf } from '../../src/payload/key-distribution.ts'
import { generatePayload } from '../../src/payload/payload.ts'
import { BenchTopicExistsError } from '../../src/workload/bench-errors.ts'
import { BenchPlace, isCluster, ScratchDirectory } from '../../src/workload/bench-place.ts'
import { readablePlace, runConsuming, withReader } from '../../src/workload/consume-run.ts'
import { runEndToEnd } from '../../src/workload/end-to-end-run.ts'
import { runProducing } from '../../src/workload/produce-run.ts'
import { type ProducingLoad, shareOf } from '../../src/workload/producing-load.ts'
import type { SendingPlan } from '../../src/workload/record-sender.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const context = { clock: systemClock, intervalMs: 50 }
const plan: SendingPlan = {
  ...{ rate: null, pacing: 'timer', inFlight: 16 },
  ...{ warmUpMs: 0, durationMs: null, records: 200 },
}

function loadOf(given: Partial<ProducingLoad> = {}): ProducingLoad {
  return {
    payload: generatePayload('json', 120, 1),
    nextKey: keysOf({ distribution: 'uniform', range: 10, seed: 1 }),
    producers: 1,
    sending: { acks: 'flushed', compression: 'none', lingerMs: 0, batchBytes: 65_536 },
    ...given,
  }
}

const names = (): readonly string[] => nodeFileSystem.list(temporary.path)

describe('where a run takes place', () => {
  test('a scratch directory is gone afterwards, with what was in it', async () => {
    {
      await using place = await BenchPlace.open({ address: temporary.path })
      await place.varve.producer().send(place.topic, { value: 'x' })
      expect(names()).toHaveLength(1)
    }
    expect(names()).toEqual([])
  })

  test('what is to be kept is kept', async () => {
    const parent = `${temporary.path}/kept`
    let path = ''
    {
      await using scratch = await ScratchDirectory.make(parent, { keep: true })
      path = scratch.path
    }
    expect(nodeFileSystem.stat(path)?.isDirectory).toBe(true)
  })

  test('a topic that is there is written to only where that was said, and stays', async () => {
    const address = `${temporary.path}/data`
    {
      await using varve = await openVarve(address)
      await varve.createTopic('orders', { partitions: 2 })
    }
    const given = { address, topic: 'orders' }
    await expect(BenchPlace.open(given)).rejects.toThrow(BenchTopicExistsError)
    {
      await using place = await BenchPlace.open({ ...given, existing: true })
      expect(place.partitions).toBe(2)
    }
    await using varve = await openVarve(address)
    expect(await varve.listTopics()).toEqual(['orders'])
  })

  test('a topic that a run made in a directory of somebody’s goes; the others stay', async () => {
    const address = `${temporary.path}/data`
    {
      await using place = await BenchPlace.open({ address, topic: 'mine' })
      expect(await place.varve.listTopics()).toEqual(['orders', 'mine'])
    }
    await using varve = await openVarve(address)
    expect(await varve.listTopics()).toEqual(['orders'])
  })

  test('a topic that is only to be read is not made', async () => {
    const address = `${temporary.path}/data`
    const given = { address, topic: 'missing', readOnly: true }
    await expect(BenchPlace.open(given)).rejects.toMatchObject({ code: 'VARVE_TOPIC_NOT_FOUND' })
  })

  test.each([
    ['kafka://host:9092', true],
    ['kafka+tls://host:9092', true],
    ['./kafka', false],
  ])('%s: a cluster? %s', (address, is) => {
    expect(isCluster(address)).toBe(is)
  })
})

describe('producing', () => {
  test('counts what was acknowledged, with the engine’s figures', async () => {
    await using place = await BenchPlace.open({ address: temporary.path })
    const measured = await runProducing(place, loadOf(), plan, context)
    expect(measured).toMatchObject({ records: 200, latencyKind: 'service', sendDelay: null })
    expect(measured.payloadBytes).toBe(200 * (120 + 'key-0'.length))
    expect(measured.latency?.count).toBe(200)
    expect(measured.engine?.recordsPerFlush).toBeGreaterThanOrEqual(1)
    expect(measured.engine?.bytesPerPayloadByte).toBeGreaterThan(1)
    expect(measured.intervals.reduce((sum, { records }) => sum + records, 0)).toBe(200)
    expect(await endOf(place)).toBe(200)
  })

  test('several producers share number and rate; at a rate latency is from the moment', async () => {
    await using place = await BenchPlace.open({ address: temporary.path })
    const given = { ...plan, rate: 2000, records: 101 }
    const measured = await runProducing(place, loadOf({ producers: 3 }), given, context)
    expect(measured).toMatchObject({ records: 101, latencyKind: 'intended', rate: 2000 })
    expect(measured.sendDelay?.count).toBe(101)
    expect(measured.seconds).toBeGreaterThan(0.04)
    expect(await endOf(place)).toBe(101)
  })

  test('a signal ends it, and what there was until then counts', async () => {
    await using place = await BenchPlace.open({ address: temporary.path })
    const controller = new AbortController()
    const onInterval = (): void => controller.abort()
    const { signal } = controller
    const given = { ...plan, records: null }
    const measured = await runProducing(place, loadOf(), given, { ...context, signal, onInterval })
    expect(measured.records).toBeGreaterThan(0)
  })

  test('shares add up to the whole', () => {
    const whole = { ...plan, rate: 90, inFlight: 7, records: 11 }
    const shares = [0, 1, 2].map((index) => shareOf(whole, 3, index))
    expect(shares.map(({ records }) => records)).toEqual([4, 4, 3])
    expect(shares.map(({ inFlight }) => inFlight)).toEqual([3, 2, 2])
    expect(shares.map(({ rate }) => rate)).toEqual([30, 30, 30])
    expect(shareOf({ ...whole, inFlight: 1 }, 3, 2).inFlight).toBe(1)
  })
})

async function endOf({ varve, topic }: BenchPlace): Promise<number> {
  const { partitions } = await varve.describeTopic(topic)
  return partitions.reduce((sum, { highWatermark }) => sum + highWatermark, 0)
}

describe('consuming', () => {
  const load = { consumers: 1, group: null, records: null, fetchBytes: 65_536, warmUpMs: 0 }

  test('reads all that there is, or as many as were asked for', async () => {
    const topicSettings = { partitions: 3 }
    await using place = await BenchPlace.open({ address: temporary.path, topicSettings })
    await runProducing(place, loadOf(), plan, context)
    const all = await runConsuming(readablePlace(place), { ...load, consumers: 2 }, context)
    expect(all).toMatchObject({ records: 200, latency: null, engine: null })
    expect(all.payloadBytes).toBe(200 * 125)
    const some = await runConsuming(readablePlace(place), { ...load, records: 150 }, context)
    expect(some.records).toBe(150)
    const warm = await runConsuming(readablePlace(place), { ...load, warmUpMs: 20 }, context)
    expect(warm.records).toBe(200)
    const asGroup = { ...load, group: 'g', warmUpMs: 20 }
    const grouped = await runConsuming(readablePlace(place), asGroup, context)
    expect(grouped.records).toBe(200)
    expect(grouped.rebalanceMs).toBeGreaterThanOrEqual(0)
  })

  test('a topic that is there is read without a lock, beside its owner', async () => {
    const address = `${temporary.path}/owned`
    await using varve = await openVarve(address)
    await varve.createTopic('orders')
    await varve.producer().send('orders', [{ value: 'a' }, { value: 'b' }])
    const measured = await withReader(address, 'orders', (place) => {
      return runConsuming(place, load, context)
    })
    expect(measured.records).toBe(2)
  })
})

describe('end to end', () => {
  test('latency is from the moment of a record to its consumer', async () => {
    await using place = await BenchPlace.open({ address: temporary.path })
    const given = { ...plan, rate: 1000, records: 50, warmUpMs: 20 }
    const where = { consumerIn: 'this process' } as const
    const measured = await runEndToEnd(place, loadOf(), given, context, where)
    expect(measured).toMatchObject({ records: 50, latencyKind: 'end-to-end' })
    expect(measured.latency?.p50Ms).toBeGreaterThan(0)
    expect(measured.latency?.maxMs).toBeLessThan(5000)
    expect(measured.engine?.flushes).toBeGreaterThan(0)
  })
})
