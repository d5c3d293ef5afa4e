import { afterEach, expect, test } from 'vitest'
import { cooperativeStickyAssignor } from '../../../src/groups/assigning/cooperative-sticky-assignor.ts'
import { rangeAssignor } from '../../../src/groups/assigning/range-assignor.ts'
import type { GroupMigrationPolicy } from '../../../src/groups/consumer/group-migration-policy.ts'
import { encodeSubscription } from '../../../src/groups/consumer-protocol.ts'
import {
  GroupNotUpgradableError,
  RebalanceInProgressError,
  UnknownMemberError,
} from '../../../src/groups/group-errors.ts'
import { joinOf } from '../consumer/consumer-group-bench.ts'
import { MigrationBench } from './migration-bench.ts'
import { ClassicClient, ConsumerClient, LocalClient } from './migration-clients.ts'

let bench: MigrationBench | null = null

const subscription = encodeSubscription({
  ...{ topics: ['t'], userData: null, ownedPartitions: [], generationId: -1, rackId: null },
})

afterEach(async () => {
  await bench?.close()
  bench = null
})

async function open(...args: Parameters<typeof MigrationBench.open>): Promise<MigrationBench> {
  bench = await MigrationBench.open(...args)
  return bench
}

for (const assignor of [rangeAssignor, cooperativeStickyAssignor]) {
  test(`a group of ${assignor.name} is bounced to the consumer protocol and back`, async () => {
    const group = await open(6)
    const old = ['a', 'b', 'c'].map((name) => new ClassicClient(group, name, assignor).begin())
    await group.settled(() => Object.keys(group.shares).length === 3)
    expect(group.type).toBe('classic')
    const fresh: ConsumerClient[] = []
    for (const each of old) {
      await each.stop()
      fresh.push(new ConsumerClient(group, `${each.name}2`).begin())
      await group.settled(() => Object.keys(group.shares).length === 3)
      expect(group.type).toBe('consumer')
      expect(Object.values(group.shares)).toEqual([2, 2, 2])
    }
    expect(group.store.consumerGroup('g')?.classicCount).toBe(0)
    for (const [at, each] of fresh.entries()) {
      await each.stop()
      new ClassicClient(group, `${each.name}3`, assignor).begin()
      await group.settled(() => Object.keys(group.shares).length === 3)
      expect(group.type).toBe(at === 2 ? 'classic' : 'consumer')
    }
    expect(group.store.consumerGroup('g')).toBeNull()
    expect(group.store.metadata('g')?.members).toHaveLength(3)
    expect(group.errors).toEqual([])
  })
}

test('members of the process are members of a group that changes its protocol', async () => {
  const group = await open(4)
  const local = new LocalClient(group, 'a', cooperativeStickyAssignor)
  new LocalClient(group, 'b', cooperativeStickyAssignor)
  await group.settled(() => Object.keys(group.shares).length === 2)
  const remote = new ConsumerClient(group, 'c').begin()
  await group.settled(() => Object.keys(group.shares).length === 3)
  expect(group.type).toBe('consumer')
  await local.stop()
  await group.settled(() => Object.keys(group.shares).length === 2)
  new LocalClient(group, 'd', cooperativeStickyAssignor)
  await group.settled(() => Object.keys(group.shares).length === 3)
  await remote.stop()
  await group.settled(() => Object.keys(group.shares).length === 2)
  expect(group.type).toBe('classic')
  expect(group.errors).toEqual([])
})

test('a static member goes from one protocol to the other, and keeps its part', async () => {
  const group = await open(3)
  const old = new ClassicClient(group, 'a', rangeAssignor, 'one').begin()
  await group.settled()
  old.kill()
  const fresh = new ConsumerClient(group, 'b', 'one').begin()
  await group.settled()
  expect(group.type).toBe('consumer')
  expect(group.store.consumerGroup('g')?.members.size).toBe(1)
  fresh.kill()
  new ClassicClient(group, 'c', rangeAssignor, 'one').begin()
  await group.settled()
  expect(group.type).toBe('classic')
  expect(group.store.metadata('g')?.members).toMatchObject([{ groupInstanceId: 'one' }])
  expect(group.errors).toEqual([])
})

test('a member of the new protocol that falls silent leaves a classic group behind', async () => {
  const group = await open(3)
  const old = new ClassicClient(group, 'a', cooperativeStickyAssignor).begin()
  const fresh = new ConsumerClient(group, 'b').begin()
  await group.settled(() => Object.keys(group.shares).length === 2)
  fresh.kill()
  await group.pass(50)
  await group.settled()
  expect(group.type).toBe('classic')
  expect(old.partitions).toEqual([0, 1, 2])
  // So does a classic one that falls silent leave one of the new protocol.
  const next = new ConsumerClient(group, 'c').begin()
  await group.settled(() => Object.keys(group.shares).length === 2)
  old.kill()
  await group.pass(20)
  await group.settled()
  expect(group.type).toBe('consumer')
  expect(next.partitions).toEqual([0, 1, 2])
})

test('a classic member that does not join again in its time is put out', async () => {
  const group = await open(2)
  const { coordinator } = group
  const join = (memberId: string) =>
    coordinator.join('g', {
      ...{ memberId, groupInstanceId: null, clientId: 'c', clientHost: '/::1' },
      ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: subscription }] },
      ...{ sessionTimeoutMs: 40_000, rebalanceTimeoutMs: 30_000, local: null },
    })
  const joined = await join('')
  const identity = { ...joined, groupInstanceId: null }
  await coordinator.sync('g', { ...identity, assignments: new Map() })
  const fresh = new ConsumerClient(group, 'b').begin()
  await expect.poll(() => group.type).toBe('consumer')
  for (let second = 0; second < 28; second++) {
    expect(() => coordinator.heartbeat('g', identity)).toThrow(RebalanceInProgressError)
    await group.pass(1)
  }
  await group.pass(5)
  expect(() => coordinator.heartbeat('g', identity)).toThrow(UnknownMemberError)
  await group.settled()
  expect(fresh.partitions).toEqual([0, 1])
})

const refusals: ReadonlyArray<readonly [GroupMigrationPolicy, string, string]> = [
  ['disabled', 'classic', 'classic'],
  ['downgrade', 'classic', 'classic'],
  ['upgrade', 'consumer', 'consumer'],
  ['bidirectional', 'consumer', 'classic'],
]

test.each(refusals)('with the policy %s a classic group is %s, then %s', async (...row) => {
  const [migrationPolicy, then, last] = row
  const group = await open(2, { migrationPolicy })
  new ClassicClient(group, 'a', rangeAssignor).begin()
  await group.settled()
  const fresh = new ConsumerClient(group, 'b').begin()
  await group.turns(100)
  expect(group.type).toBe(then)
  await fresh.stop()
  await group.settled()
  expect(group.type).toBe(last)
  expect(group.errors).toEqual([])
})

test('who is refused is told why, and the group goes on as it was', async () => {
  const group = await open(2, { migrationPolicy: 'disabled' })
  const { coordinator, settings } = group
  const circumstances = { settings, isVisible: () => true }
  const old = new ClassicClient(group, 'a', rangeAssignor).begin()
  await group.settled()
  const beat = () => coordinator.consumers.heartbeat(joinOf('b'), circumstances)
  await expect(beat()).rejects.toThrow(GroupNotUpgradableError)
  await expect(beat()).rejects.toThrow(/because online upgrade is disabled/)
  group.settings = { ...settings, migrationPolicy: 'bidirectional', membersMax: 0 }
  const full = { settings: group.settings, isVisible: () => true }
  const late = coordinator.consumers.heartbeat(joinOf('b'), full)
  await expect(late).rejects.toThrow(/exceeds the consumer group maximum size/)
  expect(old.partitions).toEqual([0, 1])
})

test('a change that cannot be noted is none, and the members join again', async () => {
  const group = await open(2)
  const { store } = group
  const old = new ClassicClient(group, 'a', cooperativeStickyAssignor).begin()
  const local = new LocalClient(group, 'l', cooperativeStickyAssignor)
  await group.settled(() => Object.keys(group.shares).length === 2)
  const save = store.saveConsumers
  store.saveConsumers = () => Promise.reject(new Error('no space left'))
  const circumstances = { settings: group.settings, isVisible: () => true }
  const beat = group.coordinator.consumers.heartbeat(joinOf('b'), circumstances)
  await expect(beat).rejects.toThrow('no space left')
  store.saveConsumers = save
  await group.settled(() => Object.keys(group.shares).length === 2)
  expect(group.type).toBe('classic')
  expect([...old.partitions, ...local.partitions].sort()).toEqual([0, 1])
  new ConsumerClient(group, 'c').begin()
  await group.settled()
  expect(group.type).toBe('consumer')
})
