import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stringSerde } from '../../src/base/serializers.ts'
import { RecordsDeletedError } from '../../src/consuming/consumer-errors.ts'
import { checkConsumerOptions, checkStartingPoint } from '../../src/consuming/consumer-options.ts'
import { ConsumerRecord } from '../../src/consuming/consumer-record.ts'
import { HeldPartitions } from '../../src/consuming/held-partitions.ts'
import { type FeedOptions, offsetOf, PartitionFeed } from '../../src/consuming/partition-feed.ts'
import type { Topics } from '../../src/topics/topics.ts'
import { type Machine, newMachine, openTopics, turns } from '../broker-fixture.ts'

let machine: Machine
let topics: Topics
let woken = 0
const deleted: RecordsDeletedError[] = []

beforeEach(async () => {
  machine = newMachine()
  topics = await openTopics(machine)
  await topics.create('t', 2, { segmentBytes: 300 })
  woken = 0
  deleted.length = 0
})

afterEach(() => topics.close())

function feedOf(
  partition: number,
  position: number,
  options: Partial<FeedOptions> = {},
): PartitionFeed {
  return new PartitionFeed(topics.topic('t').partition(partition), position, {
    clock: machine.clock,
    isolation: 'committed',
    follow: true,
    whenDeleted: 'fail',
    onDeleted: (error) => void deleted.push(error),
    fetchBytes: 200,
    wake: () => {
      woken++
    },
    ...options,
  })
}

async function fill(partition: number, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await topics
      .topic('t')
      .partition(partition)
      .log.append({ value: `${index}` })
  }
}

/** What it gives until it has nothing for a while. */
async function drain(feed: PartitionFeed): Promise<number[]> {
  const offsets: number[] = []
  for (let idle = 0; idle < 3; idle++) {
    for (let taken = feed.take(0); taken !== null; taken = feed.take(0)) {
      offsets.push(taken.record.offset)
      idle = 0
    }
    await turns(10)
  }
  return offsets
}

describe('the feed of a partition', () => {
  test('begins in the middle of a batch, and wakes its consumer when there is more', async () => {
    const { log } = topics.topic('t').partition(0)
    await log.append(['0', '1', '2', '3'].map((value) => ({ value })))
    const feed = feedOf(0, 2)
    expect(feed.take(0)).toBeNull()
    await turns()
    expect(woken).toBeGreaterThan(0)
    expect(await drain(feed)).toEqual([2, 3])
    const before = woken
    await log.append({ value: '4' })
    await turns()
    expect(woken).toBeGreaterThan(before)
    expect(await drain(feed)).toEqual([4])
    expect(feed.position).toBe(5)
    feed.close()
    expect(feed.take(0)).toBeNull()
  })

  test('counts markers as read, so that it is not behind for ever', async () => {
    const { log } = topics.topic('t').partition(0)
    await fill(0, 2)
    const feed = feedOf(0, 0, { follow: false })
    expect(await drain(feed)).toEqual([0, 1])
    expect([feed.isAtEnd, feed.position, feed.endOffset]).toEqual([true, 2, log.highWatermark])
  })

  test('that is sought elsewhere gives nothing of what it had read before', async () => {
    await fill(0, 30)
    const feed = feedOf(0, 0)
    feed.take(0)
    await turns()
    expect(feed.take(0)?.record.offset).toBe(0)
    feed.seek(20)
    expect(await drain(feed)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29])
    feed.close()
  })

  test('fails where records were deleted, until it is sought, or passes them and says so', async () => {
    await fill(0, 30)
    await topics.topic('t').partition(0).log.deleteSegmentsBefore(20)
    const failing = feedOf(0, 3)
    expect(await drain(failing)).toEqual([])
    expect(failing.failure).toBeInstanceOf(RecordsDeletedError)
    failing.seek(28)
    expect(failing.failure).toBeNull()
    expect(await drain(failing)).toEqual([28, 29])
    const latest = feedOf(0, 3, { whenDeleted: 'latest' })
    expect(await drain(latest)).toEqual([])
    expect(latest.position).toBe(30)
    expect(deleted.map(({ position }) => position)).toEqual([3])
    failing.close()
    latest.close()
  })

  test('knows where starting points are', async () => {
    await fill(0, 3)
    machine.clock.advance(10)
    const timestamp = machine.clock.now()
    await fill(0, 2)
    const { log } = topics.topic('t').partition(0)
    const points = ['earliest', 'latest', 2, { timestamp }, { timestamp: timestamp + 1 }] as const
    const found = await Promise.all(points.map((from) => offsetOf(log, from, 'committed')))
    expect(found).toEqual([0, 5, 2, 3, 5])
  })
})

describe('the partitions of a consumer', () => {
  test('take turns, pass over what is paused, and tell of failures', async () => {
    await Promise.all([fill(0, 3), fill(1, 3)])
    const held = new HeldPartitions()
    const entries = [0, 1].map((partition) => ({
      place: { topic: 't', partition },
      feed: feedOf(partition, 0),
      done: 0,
      committed: null,
      from: 0,
    }))
    held.add(entries)
    const take = async (): Promise<string> => {
      const taken = held.take(0)
      if (taken !== null) return `${taken.held.place.partition}-${taken.record.offset}`
      await turns()
      return take()
    }
    const [first, second] = entries
    if (first === undefined || second === undefined) throw new Error('there are two')
    first.feed.isPaused = true
    expect([await take(), await take()]).toEqual(['1-0', '1-1'])
    first.feed.isPaused = false
    second.feed.isPaused = true
    expect([await take(), await take()]).toEqual(['0-0', '0-1'])
    expect(held.lag().map(({ lag }) => lag)).toEqual([1, 1])
    await topics
      .topic('t')
      .partition(0)
      .log.append({ value: 'x'.repeat(200) })
    await topics.topic('t').partition(0).log.deleteSegmentsBefore(3)
    first.feed.seek(0)
    expect(held.take(0)).toBeNull()
    await turns()
    expect(() => held.take(0)).toThrow(RecordsDeletedError)
    held.remove([first])
    expect(held.all).toEqual([second])
    expect(() => held.mustHave(first.place)).toThrow('does not have this partition')
    for (const { feed } of entries) feed.close()
  })
})

test('a record is deserialized once, when it is asked for, and nulls stay null', async () => {
  await topics.topic('t').partition(0).log.append({ key: 'k', value: null })
  const { batches } = await topics.topic('t').partition(0).log.read({ from: 0 })
  const [raw] = batches[0]?.records() ?? []
  if (raw === undefined) throw new Error('there is a record')
  let times = 0
  const counting = {
    deserialize: (bytes: Buffer) => {
      times++
      return stringSerde.deserialize(bytes, 't')
    },
  }
  const place = { topic: 't', partition: 0 }
  const record = new ConsumerRecord(place, raw, 7, { key: counting, value: counting })
  expect(times).toBe(0)
  expect([record.key, record.key, record.value, record.leaderEpoch]).toEqual(['k', 'k', null, 7])
  expect(times).toBe(1)
})

test('starting points are checked', () => {
  for (const from of ['earliest', 'latest', 0, 2 ** 53 - 1, { timestamp: -1 }]) {
    expect(() => checkStartingPoint(from)).not.toThrow()
  }
  for (const from of [-1, 0.5, 'x', null, {}, { timestamp: 'now' }]) {
    expect(() => checkStartingPoint(from)).toThrow('must be')
  }
  expect(() => checkConsumerOptions({ topics: ['t'] })).not.toThrow()
})
