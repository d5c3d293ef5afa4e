import { BatchTooLargeError } from '@varve/log'
import { afterEach, expect, test, vi } from 'vitest'
import { cooperativeStickyAssignor } from '../../../src/groups/assigning/cooperative-sticky-assignor.ts'
import { rangeAssignor } from '../../../src/groups/assigning/range-assignor.ts'
import { encodeAssignment, encodeSubscription } from '../../../src/groups/consumer-protocol.ts'
import {
  FencedInstanceError,
  GroupNotEmptyError,
  RebalanceInProgressError,
} from '../../../src/groups/group-errors.ts'
import type { JoinRequest } from '../../../src/groups/group-protocol.ts'
import { beatOf, joinOf } from '../consumer/consumer-group-bench.ts'
import { MigrationBench } from './migration-bench.ts'
import { ClassicClient, ConsumerClient, LocalClient } from './migration-clients.ts'

let bench: MigrationBench | null = null

afterEach(async () => {
  await bench?.close()
  bench = null
})

async function open(...args: Parameters<typeof MigrationBench.open>): Promise<MigrationBench> {
  bench = await MigrationBench.open(...args)
  return bench
}

/** A JoinGroup over the wire. */
function joining(said: Partial<JoinRequest> = {}): JoinRequest {
  const metadata = encodeSubscription({
    ...{ topics: ['t'], userData: null, ownedPartitions: [], generationId: -1, rackId: null },
  })
  return {
    ...{ memberId: '', groupInstanceId: null, clientId: 'c', clientHost: '/::1' },
    ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata }] },
    ...{ sessionTimeoutMs: 40_000, rebalanceTimeoutMs: 30_000, local: null },
    ...said,
  }
}

test('a static member of the process is told that one of the new protocol has its name', async () => {
  const group = await open(3)
  const local = new LocalClient(group, 'a', cooperativeStickyAssignor, 'one')
  await group.settled()
  const fresh = new ConsumerClient(group, 'b', 'one').begin()
  // What it had it has lost before the other is told that it has it.
  await expect.poll(() => fresh.partitions).toEqual([0, 1, 2])
  expect(local.failure).toBeInstanceOf(FencedInstanceError)
  expect(local.partitions).toEqual([])
  expect(group.errors).toEqual([local.failure])
})

test('a group that nobody leads divides anew when a topic has more partitions', async () => {
  const group = await open(3)
  const { coordinator, topics } = group
  const old = new ClassicClient(group, 'a', rangeAssignor, 'one').begin()
  await group.settled()
  old.kill()
  const fresh = new ConsumerClient(group, 'b', 'one').begin()
  await group.settled()
  fresh.kill()
  new ClassicClient(group, 'c', rangeAssignor, 'one').begin()
  await group.settled()
  // It has taken the place of the last one without a rebalance.
  expect(coordinator.view('g')).toMatchObject({ state: 'Stable', leader: null, generation: 1 })
  topics.set('t', 5)
  coordinator.topicsChanged(new Set(['t']))
  await group.settled()
  expect(coordinator.view('g')).toMatchObject({ state: 'Stable', generation: 2 })
  expect(coordinator.view('g')?.leader).not.toBeNull()
})

test('a group has its members while it changes its protocol', async () => {
  const group = await open(3)
  const { coordinator } = group
  const circumstances = { settings: group.settings, isVisible: () => true }
  new ClassicClient(group, 'a', rangeAssignor).begin()
  await group.settled()
  for (const memberEpoch of [0, -1]) {
    const request = memberEpoch === 0 ? joinOf('b') : beatOf('b', memberEpoch)
    const beat = coordinator.consumers.heartbeat(request, circumstances)
    while (!coordinator.consumers.isChanging('g')) await Promise.resolve()
    expect(coordinator.overview()).not.toMatchObject([{ state: 'Dead' }])
    const described = coordinator.describe('g')
    const reset = coordinator.resetOffsets('g', [{ topic: 't', partition: 0, offset: 0 }])
    const deletable = coordinator.deletableOffsets('g')
    const deleted = coordinator.delete('g')
    await expect(reset).rejects.toThrow(GroupNotEmptyError)
    await expect(deleted).rejects.toThrow(GroupNotEmptyError)
    expect((await described).members.length).toBeGreaterThan(0)
    expect((await deletable).readTopics).toEqual(new Set(['t']))
    await beat
  }
})

test('whatever a group was before, it has no more classic members than it may', async () => {
  const group = await open(3, { classicMembersMax: 2 })
  const { coordinator, settings } = group
  const circumstances = { settings, isVisible: () => true }
  await coordinator.consumers.heartbeat(joinOf('b'), circumstances)
  await coordinator.consumers.heartbeat(beatOf('b', -1), circumstances)
  // It is one of the consumer protocol, without members: it makes way for them.
  const errors: string[] = []
  for (let member = 0; member < 5; member++) {
    coordinator.join('g', joining()).catch((error: unknown) => errors.push(String(error)))
  }
  await group.turns(50)
  expect(coordinator.view('g')?.members).toHaveLength(2)
  expect(errors).toEqual(Array(3).fill(expect.stringContaining('its maximum of 2 members')))
})

test('who says more than can be noted is refused before it is read', async () => {
  const group = await open(3)
  const { coordinator, settings } = group
  const circumstances = { settings, isVisible: () => true }
  const topics = Array.from({ length: 2 ** 21 }, () => 't')
  const said = { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null }
  const protocols = [{ name: 'range', metadata: encodeSubscription(said) }]
  await coordinator.consumers.heartbeat(joinOf('b'), circumstances)
  const reading = vi.spyOn(group.topics, 'find')
  await expect(coordinator.join('g', joining({ protocols }))).rejects.toThrow(BatchTooLargeError)
  expect(reading).not.toHaveBeenCalled()
  // Nor are the members of a classic group disturbed that says as much.
  const joined = await coordinator.join('h', joining({ protocols }))
  const identity = { ...joined, groupInstanceId: null }
  const refused = coordinator.consumers.heartbeat(joinOf('b', { group: 'h' }), circumstances)
  await expect(refused).rejects.toThrow(/more than can be noted at once/)
  coordinator.heartbeat('h', identity)
})

/** Many members with long names: what they say of their topics is little. */
const manyNamed = Array.from({ length: 20 }, () => {
  const long = 'c'.repeat(30_000)
  return joining({ clientId: long, clientHost: long, initialRebalanceDelayMs: 5 })
})

test('a classic group whose records do not fit into a batch is left as it is', async () => {
  const group = await open(3)
  const { coordinator, settings } = group
  const joins = manyNamed.map((request) => coordinator.join('g', request))
  for (let passed = 0; passed < 10; passed++) {
    group.clock.advance(5)
    await group.turns()
  }
  const [joined = await Promise.race(joins)] = await Promise.all(joins)
  const circumstances = { settings, isVisible: () => true }
  const refused = coordinator.consumers.heartbeat(joinOf('b'), circumstances)
  await expect(refused).rejects.toThrow(/more than can be noted at once/)
  expect(coordinator.view('g')?.members).toHaveLength(20)
  coordinator.heartbeat('g', { ...joined, groupInstanceId: null })
})

test('a group whose classic members are too much for a batch goes on without the last new one', async () => {
  const group = await open(3)
  const { coordinator } = group
  const fresh = new ConsumerClient(group, 'b').begin()
  await group.settled()
  const joins = manyNamed.map((request) => coordinator.join('g', request))
  const [joined = await Promise.race(joins)] = await Promise.all(joins)
  await fresh.stop()
  expect(fresh.failure).toBeNull()
  expect(group.store.consumerGroup('g')).toMatchObject({ classicCount: 20 })
  expect(group.store.consumerGroup('g')?.members.size).toBe(20)
  expect(() => coordinator.heartbeat('g', { ...joined, groupInstanceId: null })).toThrow(
    RebalanceInProgressError,
  )
  expect(group.errors).toEqual([])
})

test('classic members wait for no static one that is away to have a target computed', async () => {
  const group = await open(8, { assignmentIntervalMs: 1_000 })
  const { coordinator, settings } = group
  const circumstances = { settings, isVisible: () => true }
  const away = new ConsumerClient(group, 'b', 'two').begin()
  new ClassicClient(group, 'a', rangeAssignor).begin()
  await group.pass(5)
  away.kill()
  await coordinator.consumers.heartbeat(beatOf('c-b', -2, { instanceId: 'two' }), circumstances)
  // The second comes sooner than a target is computed for it, and nobody else has to join then.
  new ClassicClient(group, 'd', rangeAssignor).begin()
  await group.turns(60)
  new ClassicClient(group, 'e', rangeAssignor).begin()
  await group.turns(60)
  await group.pass(2)
  expect(group.store.consumerGroup('g')).toMatchObject({ epoch: 5, targetEpoch: 5 })
})

test('a member that joins while all is closed leaves no timer behind', async () => {
  const group = await open(3)
  const { coordinator, settings, clock } = group
  const before = clock.pendingTimers
  const circumstances = { settings, isVisible: () => true }
  await coordinator.consumers.heartbeat(joinOf('b'), circumstances)
  const save = group.store.saveConsumers.bind(group.store)
  group.store.saveConsumers = async (...noted) => {
    await save(...noted)
    coordinator.close()
  }
  await coordinator.join('g', joining())
  expect(clock.pendingTimers).toBe(before)
})

test('who takes a place in a group that was not divided yet, or not whole, has all of it', async () => {
  const group = await open(3)
  const { coordinator, settings, topics } = group
  const circumstances = { settings, isVisible: () => true }
  const beat = (name: string) => {
    const request = joinOf(`c-${name}`, { group: name, instanceId: 'one' })
    return coordinator.consumers.heartbeat(request, circumstances)
  }
  // The member before was about to be told that it leads.
  await coordinator.join('new', joining({ groupInstanceId: 'one' }))
  const topicId = topics.find('t')?.topicId
  expect((await beat('new')).assignment).toEqual([{ topicId, partitions: [0, 1, 2] }])
  // Its leader had not seen yet that there are more.
  const joined = await coordinator.join('old', joining({ groupInstanceId: 'one' }))
  const partitions = [0, 1, 2].map((partition) => ({ topic: 't', partition }))
  const assignments = new Map([[joined.memberId, encodeAssignment({ partitions, userData: null })]])
  await coordinator.sync('old', { ...joined, groupInstanceId: 'one', assignments })
  topics.set('t', 5)
  coordinator.topicsChanged(new Set(['t']))
  expect((await beat('old')).assignment).toEqual([{ topicId, partitions: [0, 1, 2, 3, 4] }])
})
