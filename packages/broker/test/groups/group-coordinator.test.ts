import { InvalidArgumentError } from '@varve/record'
import { afterEach, expect, test, vi } from 'vitest'
import { decodeAssignment, encodeSubscription } from '../../src/groups/consumer-protocol.ts'
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts'
import {
  GroupNotEmptyError,
  GroupNotFoundError,
  InconsistentGroupProtocolError,
  MemberIdRequiredError,
  UnknownMemberError,
} from '../../src/groups/group-errors.ts'
import { resetOffset } from '../../src/groups/offset-reset.ts'
import { OffsetStore } from '../../src/groups/offset-store.ts'
import { marker, type OffsetsPlace, openOffsets, transactionalCommit } from './group-fixture.ts'
import { GroupBench } from './member-fixture.ts'

const nobody = { memberId: '', groupInstanceId: null, generation: -1 }
const dayMs = 86_400_000

let bench: GroupBench | null = null

afterEach(async () => {
  await bench?.close()
  bench = null
})

async function coordinate(
  place: OffsetsPlace,
): Promise<{ readonly store: OffsetStore; readonly coordinator: GroupCoordinator }> {
  const store = await OffsetStore.load(place.log)
  let ids = 0
  const coordinator = new GroupCoordinator([store], {
    clock: place.clock,
    newId: () => String(++ids),
    partitionCount: () => 1,
  })
  return { store, coordinator }
}

test('a group is described with its members, its state and its offsets', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a', { groupInstanceId: 'one' })
  a.handle(3)
  await a.commit()
  const described = await bench.coordinator.describe('g')
  expect(described).toMatchObject({
    state: 'Stable',
    protocolType: 'consumer',
    protocol: 'cooperative-sticky',
    members: [
      { memberId: 'one-1', groupInstanceId: 'one', clientId: 'a', clientHost: 'in-process' },
    ],
  })
  expect(
    described.offsets.map(({ topic, partition, offset }) => [topic, partition, offset]),
  ).toEqual([
    ['t', 0, 3],
    ['t', 1, 3],
  ])
  expect(await bench.coordinator.list()).toEqual(['g'])
  await expect(bench.coordinator.describe('other')).rejects.toBeInstanceOf(GroupNotFoundError)
})

test('offsets are reset and groups deleted only while nobody is in them', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const { coordinator } = bench
  const a = await bench.join('a')
  a.handle(3)
  await a.commit()
  const reset = [{ topic: 't', partition: 0, offset: 1 }]
  await expect(coordinator.resetOffsets('g', reset)).rejects.toBeInstanceOf(GroupNotEmptyError)
  await expect(coordinator.delete('g')).rejects.toBeInstanceOf(GroupNotEmptyError)
  await a.member.close()
  bench.owners.clear()
  await coordinator.resetOffsets('g', reset)
  expect(await coordinator.describe('g')).toMatchObject({
    state: 'Empty',
    offsets: [{ offset: 1 }],
  })
  await coordinator.delete('g')
  expect(await coordinator.list()).toEqual([])
  await expect(coordinator.delete('g')).rejects.toBeInstanceOf(GroupNotFoundError)
})

test('a program that divides its partitions itself commits without being a member', async () => {
  await using place = await openOffsets()
  const { coordinator } = await coordinate(place)
  await coordinator.commit('g', nobody, [{ topic: 't', partition: 0, offset: 4 }])
  expect(
    (
      await coordinator.fetch('g', [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 },
      ])
    ).map((found) => found?.offset ?? null),
  ).toEqual([4, null])
  const stranger = { ...nobody, memberId: 'x', generation: 1 }
  await expect(
    coordinator.commit('g', stranger, [{ topic: 't', partition: 0, offset: 9 }]),
  ).rejects.toBeInstanceOf(UnknownMemberError)
  await expect(coordinator.commit('', nobody, [])).rejects.toBeInstanceOf(InvalidArgumentError)
})

test('fetching waits for a transaction that may change the offset', async () => {
  await using place = await openOffsets()
  const { store, coordinator } = await coordinate(place)
  await store.appendBatch(transactionalCommit(7, 0, [['t', 0, 5]]))
  let found: number | undefined
  const fetching = coordinator.fetch('g', [{ topic: 't', partition: 0 }]).then(([commit]) => {
    found = commit?.offset
  })
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate)
    place.clock.advance(10)
  }
  expect(found).toBeUndefined()
  // By the coordinator of transactions, which knows only the log.
  await place.log.appendBatch(marker('commit', 7), { origin: 'coordinator' })
  for (let turn = 0; turn < 20 && found === undefined; turn++) {
    await new Promise(setImmediate)
    place.clock.advance(10)
  }
  await fetching
  expect(found).toBe(5)
})

test('offsets of an empty group expire seven days after its last member left, and it with them', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const { coordinator, clock } = bench
  const a = await bench.join('a')
  a.handle(1)
  await a.commit()
  clock.advance(8 * dayMs)
  expect(await coordinator.expireOffsets()).toBe(0)
  await a.member.close()
  bench.owners.clear()
  clock.advance(7 * dayMs - 1)
  expect(await coordinator.expireOffsets()).toBe(0)
  clock.advance(1)
  expect(await coordinator.expireOffsets()).toBe(1)
  expect(await coordinator.list()).toEqual([])
})

test('an empty group that has committed nothing is forgotten', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const { coordinator } = bench
  const a = await bench.join('a')
  expect([await coordinator.expireOffsets(), await coordinator.list()]).toEqual([0, ['g']])
  await a.member.close()
  bench.owners.clear()
  expect([await coordinator.expireOffsets(), await coordinator.list()]).toEqual([0, []])
  await bench.restart('close')
  expect(await bench.coordinator.list()).toEqual([])
})

test('a commit that comes while what it replaces expires is kept, and its group', async () => {
  await using place = await openOffsets()
  const { coordinator } = await coordinate(place)
  const commit = (group: string, partition: number, offset: number) =>
    coordinator.commit(group, nobody, [{ topic: 't', partition, offset }])
  await Promise.all([commit('g', 0, 4), commit('h', 0, 4)])
  place.clock.advance(8 * dayMs)
  const appends = vi.spyOn(place.log, 'append')
  const before = commit('g', 0, 5)
  const expiring = coordinator.expireOffsets()
  while (appends.mock.calls.length < 2) await new Promise(setImmediate)
  const meanwhile = commit('h', 1, 6)
  await Promise.all([before, expiring, meanwhile])
  const offsets = async (group: string) => {
    return (await coordinator.describe(group)).offsets.map((each) => [each.partition, each.offset])
  }
  expect(await expiring).toBe(1)
  expect([await offsets('g'), await offsets('h')]).toEqual([[[0, 5]], [[1, 6]]])
})

test.each(['its topic', 'the group'])(
  'what an open transaction brings is forgotten with %s',
  async (what) => {
    await using place = await openOffsets()
    const { store, coordinator } = await coordinate(place)
    await coordinator.commit('g', nobody, [{ topic: 't', partition: 1, offset: 4 }])
    await store.appendBatch(transactionalCommit(7, 0, [['t', 0, 5]]))
    if (what === 'the group') await coordinator.delete('g')
    else await coordinator.topicDeleted('t')
    await store.appendBatch(marker('commit', 7), { origin: 'coordinator' })
    expect(coordinator.has('g')).toBe(false)
    expect((await OffsetStore.load(place.log)).groups).toEqual([])
  },
)

test('offsets in an open transaction do not expire', async () => {
  await using place = await openOffsets()
  const { store, coordinator } = await coordinate(place)
  await coordinator.commit('g', nobody, [{ topic: 't', partition: 0, offset: 4 }])
  await store.appendBatch(transactionalCommit(7, 0, [['t', 0, 5]]))
  place.clock.advance(8 * dayMs)
  expect(await coordinator.expireOffsets()).toBe(0)
  await store.appendBatch(marker('abort', 7), { origin: 'coordinator' })
  expect(await coordinator.expireOffsets()).toBe(1)
})

test('lag is measured from what is committed to what is visible', async () => {
  await using place = await openOffsets()
  const { coordinator } = await coordinate(place)
  await coordinator.commit('g', nobody, [
    { topic: 't', partition: 0, offset: 4 },
    { topic: 'gone', partition: 0, offset: 4 },
  ])
  const measured = coordinator.measured(({ topic }) => (topic === 't' ? 10 : null))
  expect([...measured]).toEqual([
    { group: 'g', topic: 't', partition: 0, committedOffset: 4, lag: 6 },
  ])
})

test('offsets of a deleted topic are forgotten', async () => {
  await using place = await openOffsets()
  const { store, coordinator } = await coordinate(place)
  await coordinator.commit('g', nobody, [
    { topic: 't', partition: 0, offset: 4 },
    { topic: 'u', partition: 0, offset: 4 },
  ])
  await coordinator.topicDeleted('t')
  expect(store.offsets('g').map(({ topic }) => topic)).toEqual(['u'])
})

test('after a restart a group is as it was, without the members of the process that ended', async () => {
  bench = await GroupBench.open({ partitions: 3 })
  const a = await bench.join('a')
  a.handle(2)
  await a.commit()
  const { generation } = await bench.coordinator.describe('g')
  await bench.restart('crash')
  expect(await bench.coordinator.describe('g')).toMatchObject({
    state: 'Empty',
    generation,
    members: [],
  })
  const again = await bench.join('a')
  expect([...again.positions.values()]).toEqual([2, 2, 2])
  expect((await bench.coordinator.describe('g')).generation).toBe(generation + 1)
})

/** As over the wire. */
const remote = {
  memberId: '',
  groupInstanceId: null,
  clientId: 'a',
  clientHost: '/127.0.0.1',
  protocolType: 'consumer',
  protocols: [{ name: 'cooperative-sticky', metadata: Buffer.from([0]) }],
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  local: null,
}

test('a subscription that nobody understands is to nothing, and harms nobody', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a')
  const joining = bench.coordinator.join('g', remote)
  const { memberId, generation, leader } = await joining
  expect(leader).not.toBe(memberId)
  const identity = { memberId, generation, groupInstanceId: null }
  const part = await bench.coordinator.sync('g', { ...identity, assignments: new Map() })
  expect(decodeAssignment(part).partitions).toEqual([])
  expect([a.failure, a.names]).toEqual([null, ['t-0', 't-1']])
})

test('new partitions are reason for a rebalance where the leader is of this process', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const { coordinator } = bench
  const encoded = encodeSubscription({
    ...{ topics: ['t'], userData: null, ownedPartitions: [], generationId: -1, rackId: null },
  })
  const protocols = [{ name: 'range', metadata: encoded }]
  const joined = await coordinator.join('g', { ...remote, protocols })
  const identity = { ...joined, groupInstanceId: null }
  await coordinator.sync('g', { ...identity, assignments: new Map() })
  // Another leader sees it by itself, as with Kafka.
  coordinator.topicsChanged(new Set(['t']))
  coordinator.heartbeat('g', identity)
  await coordinator.leave('g', joined.memberId)
  const a = await bench.join('a')
  bench.partitions = 2
  coordinator.partitionsMade('t', 1)
  await bench.settled()
  expect(a.names).toEqual(['t-0', 't-1'])
})

test('who is given an id and does not come back leaves nothing behind', async () => {
  await using place = await openOffsets()
  const { coordinator } = await coordinate(place)
  const asking = coordinator.join('g', { ...remote, needsKnownId: true })
  await expect(asking).rejects.toBeInstanceOf(MemberIdRequiredError)
  expect(await coordinator.list()).toEqual(['g'])
  place.clock.advance(10_000)
  expect(await coordinator.list()).toEqual([])
  const stranger = coordinator.join('h', { ...remote, memberId: 'x' })
  await expect(stranger).rejects.toBeInstanceOf(UnknownMemberError)
  const refused = coordinator.join('h', { ...remote, protocols: [] })
  await expect(refused).rejects.toBeInstanceOf(InconsistentGroupProtocolError)
  expect(await coordinator.list()).toEqual([])
})

test('a member id begins with what its client calls itself, as far as that fits', async () => {
  await using place = await openOffsets()
  const { coordinator } = await coordinate(place)
  const { memberId } = await coordinator.join('g', { ...remote, clientId: 'x'.repeat(32_767) })
  expect(memberId).toBe(`${'x'.repeat(255)}-1`)
})

test('an old client has its offsets kept for as long as it says', async () => {
  await using place = await openOffsets()
  const { store, coordinator } = await coordinate(place)
  await coordinator.commit('g', nobody, [{ topic: 't', partition: 0, offset: 4 }], 5000)
  expect(store.committed('g', 't', 0)?.expireTimestamp).toBe(place.clock.now() + 5000)
  place.clock.advance(4999)
  expect(await coordinator.expireOffsets()).toBe(0)
  place.clock.advance(1)
  expect(await coordinator.expireOffsets()).toBe(1)
})

test('a closed coordinator ends what members wait for', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const a = await bench.join('a')
  bench.coordinator.close()
  a.member.polled()
  await expect(bench.coordinator.fetch('g', [])).resolves.toEqual([])
  await expect(a.commit()).rejects.toBeInstanceOf(UnknownMemberError)
})

test('a reset never leaves the records that are there', async () => {
  const log = {
    logStartOffset: 10,
    highWatermark: 100,
    offsetForTimestamp: async (timestamp: number) =>
      timestamp > 500 ? null : { offset: timestamp, timestamp },
  }
  const targets = [
    ['earliest', 10],
    ['latest', 100],
    [{ offset: 50 }, 50],
    [{ offset: 5 }, 10],
    [{ offset: 500 }, 100],
    [{ timestamp: 42 }, 42],
    [{ timestamp: 501 }, 100],
    [{ shiftBy: -5 }, 35],
    [{ shiftBy: -50 }, 10],
    [{ shiftBy: 90 }, 100],
  ] as const
  for (const [target, expected] of targets) {
    expect([target, await resetOffset(target, log, 40)]).toEqual([target, expected])
  }
  await expect(resetOffset({ shiftBy: 1 }, log, null)).rejects.toBeInstanceOf(InvalidArgumentError)
})
