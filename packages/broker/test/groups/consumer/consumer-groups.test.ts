import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { afterEach, expect, test } from 'vitest'
import type {
  ConsumerGroupAnswer,
  ConsumerGroupHeartbeat,
} from '../../../src/groups/consumer/consumer-group-heartbeat.ts'
import { ConsumerGroups } from '../../../src/groups/consumer/consumer-groups.ts'
import { GroupCoordinator } from '../../../src/groups/group-coordinator.ts'
import {
  GroupMemoryFullError,
  GroupNotEmptyError,
  GroupNotFoundError,
  UnknownMemberError,
} from '../../../src/groups/group-errors.ts'
import { GroupMemory } from '../../../src/groups/group-memory.ts'
import { OffsetHousekeeping } from '../../../src/groups/offset-housekeeping.ts'
import { OffsetStore } from '../../../src/groups/offset-store.ts'
import { type OffsetsPlace, openOffsets } from '../group-fixture.ts'
import {
  BenchTopics,
  beatOf,
  benchSettings,
  joinOf,
  withoutClassic,
} from './consumer-group-bench.ts'

let place: OffsetsPlace | null = null

afterEach(async () => {
  await place?.directory.close()
  place = null
})

const at = { timestamp: 1000 }

class Led {
  readonly place: OffsetsPlace
  readonly store: OffsetStore
  readonly coordinator: GroupCoordinator
  readonly topics: BenchTopics

  constructor(opened: OffsetsPlace, store: OffsetStore, topics: BenchTopics) {
    this.place = opened
    this.store = store
    this.topics = topics
    let ids = 0
    this.coordinator = new GroupCoordinator([store], {
      ...{ clock: opened.clock, newId: () => String(++ids), topics },
      partitionCount: (name) => topics.find(name)?.partitionCount ?? null,
    })
  }

  static async open(
    fs: SimulatedFileSystem = new SimulatedFileSystem(),
    clock: ManualClock = new ManualClock(),
  ): Promise<Led> {
    place = await openOffsets(fs, clock)
    const topics = new BenchTopics()
    topics.set('t', 2)
    return new Led(place, await OffsetStore.load(place.log), topics)
  }

  beat(request: ConsumerGroupHeartbeat): Promise<ConsumerGroupAnswer> {
    const circumstances = { settings: benchSettings, isVisible: () => true }
    return this.coordinator.consumers.heartbeat(request, circumstances)
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a member that is silent for its session’s time is put out', async () => {
  const led = await Led.open()
  await led.beat(joinOf('a'))
  await led.beat(joinOf('b'))
  led.place.clock.advance(30_000)
  await led.beat(beatOf('a', 2, { owned: [] }))
  led.place.clock.advance(20_000)
  await settled()
  const members = led.coordinator.consumers.find('g')?.members
  expect([...(members?.keys() ?? [])]).toEqual(['a'])
  await expect(led.beat(beatOf('b', 3))).rejects.toBeInstanceOf(UnknownMemberError)
})

test('a member that keeps what it is to give up is put out after its time', async () => {
  const led = await Led.open()
  await led.beat(joinOf('a', { rebalanceTimeoutMs: 10_000 }))
  const first = await led.beat(beatOf('a', 2))
  expect(first.assignment).toBeNull()
  await led.beat(joinOf('b'))
  const topicId = led.topics.find('t')?.topicId ?? ''
  const owned = [{ topicId, partitions: [0, 1] }]
  await led.beat(beatOf('a', 2, { owned }))
  expect(led.coordinator.consumers.find('g')?.members.get('a')?.state).toBe('unrevoked')
  led.place.clock.advance(9_000)
  await led.beat(beatOf('a', 2, { owned }))
  led.place.clock.advance(2_000)
  await settled()
  expect([...(led.coordinator.consumers.find('g')?.members.keys() ?? [])]).toEqual(['b'])
})

test('after a restart members are there, and have a session’s time to be heard of', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const before = await Led.open(fs, clock)
  await before.beat(joinOf('a'))
  await before.beat(joinOf('b', { instanceId: 'one' }))
  before.coordinator.close()
  await before.place.directory.close()
  const led = await Led.open(fs, clock)
  expect(led.coordinator.consumers.find('g')?.members.size).toBe(2)
  expect(led.coordinator.overview()).toMatchObject([{ group: 'g', type: 'consumer' }])
  await led.beat(beatOf('a', 2, { owned: [] }))
  clock.advance(44_000)
  await led.beat(beatOf('a', 3, { owned: [] })).catch(() => undefined)
  clock.advance(2_000)
  await settled()
  expect([...(led.coordinator.consumers.find('g')?.members.keys() ?? [])]).toEqual(['a'])
})

test('a group is deleted, described and reset as one', async () => {
  const led = await Led.open()
  const { coordinator, store } = led
  await led.beat(joinOf('a'))
  const offsets = [{ topic: 't', partition: 0, offset: 7 }]
  const member = { memberId: 'a', groupInstanceId: null, generation: 2 }
  await coordinator.commit('g', member, offsets)
  expect(await coordinator.describe('g')).toMatchObject({
    ...{ type: 'consumer', state: 'Stable', generation: 2, protocol: 'uniform' },
    ...{ members: [{ memberId: 'a' }], offsets },
  })
  await expect(coordinator.delete('g')).rejects.toBeInstanceOf(GroupNotEmptyError)
  await expect(coordinator.resetOffsets('g', offsets)).rejects.toBeInstanceOf(GroupNotEmptyError)
  expect(await coordinator.deletableOffsets('g')).toEqual({ readTopics: new Set(['t']) })
  await led.beat(beatOf('a', -1))
  await coordinator.resetOffsets('g', [{ topic: 't', partition: 0, offset: 1 }])
  await coordinator.delete('g')
  expect(store.groups).toEqual([])
  await expect(led.beat(beatOf('a', 2))).rejects.toBeInstanceOf(GroupNotFoundError)
  // Nothing of it comes back.
  expect((await OffsetStore.load(led.place.log)).groups).toEqual([])
})

test('an empty group goes with its last offset, and not while it has members', async () => {
  const led = await Led.open()
  const { coordinator, store, place: opened } = led
  await led.beat(joinOf('a'))
  await led.beat(beatOf('a', -1))
  expect(store.consumerGroup('g')?.phase).toBe('Empty')
  await led.beat({ ...joinOf('b'), group: 'h' })
  await coordinator.expireOffsets()
  expect(store.groups).toEqual(['h'])
  const known = {
    ...{ clock: opened.clock, commitOptions: () => at, group: () => undefined },
    forgetGroup: async () => undefined,
  }
  const housekeeping = new OffsetHousekeeping([store], known)
  await store.commit('h', [{ topic: 't', partition: 0, offset: 1 }], at)
  expect(await housekeeping.expireOffsets(1)).toBe(0)
  await housekeeping.forgetOffsetsOf('t')
  expect(store.offsets('h')).toEqual([])
})

test('what members say has its bound, over all groups', async () => {
  const led = await Led.open()
  const groups = new ConsumerGroups({
    ...{ clock: led.place.clock, topics: led.topics, memory: new GroupMemory(3 * 900) },
    storeOf: () => led.store,
    note: (group, records) => led.store.saveConsumers(group, records, at),
    ...withoutClassic,
    failed: () => undefined,
  })
  const circumstances = { settings: benchSettings, isVisible: () => true }
  const join = (group: string, memberId: string) =>
    groups.heartbeat({ ...joinOf(memberId), group }, circumstances)
  for (const name of ['a', 'b', 'c']) await join(name, name)
  await expect(join('d', 'd')).rejects.toBeInstanceOf(GroupMemoryFullError)
  // Who is in goes on as before.
  await groups.heartbeat({ ...beatOf('b', 2), group: 'b' }, circumstances)
  await groups.heartbeat({ ...beatOf('a', -1), group: 'a' }, circumstances)
  await join('d', 'd')
  groups.close()
})

test('who is heard of while the disk keeps everybody waiting is not put out', async () => {
  const led = await Led.open()
  let release: (() => void) | null = null
  const groups = new ConsumerGroups({
    ...{ clock: led.place.clock, topics: led.topics, memory: new GroupMemory() },
    storeOf: () => led.store,
    note: async (group, records) => {
      if (release !== null)
        await new Promise<void>((resolve) => {
          release = resolve
        })
      await led.store.saveConsumers(group, records, at)
    },
    ...withoutClassic,
    failed: () => undefined,
  })
  const circumstances = { settings: benchSettings, isVisible: () => true }
  await groups.heartbeat(joinOf('a'), circumstances)
  release = () => undefined
  const slow = groups.heartbeat(joinOf('b'), circumstances)
  await settled()
  const waiting = groups.heartbeat(beatOf('a', 2), circumstances)
  led.place.clock.advance(46_000)
  const go = release as () => void
  release = null
  go()
  await Promise.all([slow, waiting])
  await settled()
  expect([...(groups.find('g')?.members.keys() ?? [])]).toEqual(['a', 'b'])
  groups.close()
})

test('without a coordinator a group is listed, and forgotten whole', async () => {
  const led = await Led.open()
  await led.beat(joinOf('a'))
  led.coordinator.close()
  const { store } = led
  await store.forgetMembers('g', at)
  expect(store.groups).toEqual([])
  expect((await OffsetStore.load(led.place.log)).groups).toEqual([])
})

test('what could not be noted is not told, and does not hold', async () => {
  const led = await Led.open()
  let isFull = false
  const groups = new ConsumerGroups({
    ...{ clock: led.place.clock, topics: led.topics, memory: new GroupMemory() },
    storeOf: () => led.store,
    note: async (group, records) => {
      if (isFull) throw new Error('no space left')
      await led.store.saveConsumers(group, records, at)
    },
    ...withoutClassic,
    failed: () => undefined,
  })
  const circumstances = { settings: benchSettings, isVisible: () => true }
  await groups.heartbeat(joinOf('a'), circumstances)
  isFull = true
  await expect(groups.heartbeat(joinOf('b'), circumstances)).rejects.toThrow('no space left')
  isFull = false
  expect([...(groups.find('g')?.members.keys() ?? [])]).toEqual(['a'])
  expect((await groups.heartbeat(joinOf('b'), circumstances)).memberEpoch).toBe(3)
  groups.close()
})
