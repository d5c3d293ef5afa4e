import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { ClassicGroups } from '../../../src/groups/classic/classic-groups.ts'
import type {
  HandedOverGroup,
  HandedOverMember,
} from '../../../src/groups/classic/handed-over-group.ts'
import { ClassicMembers } from '../../../src/groups/consumer/classic-members.ts'
import {
  checkBelief,
  classicMember,
  isToRejoin,
  joinAsHeartbeat,
  memberLeaving,
} from '../../../src/groups/consumer/classic-membership.ts'
import { downgraded, isDowngrade } from '../../../src/groups/consumer/group-downgrade.ts'
import { upgraded } from '../../../src/groups/consumer/group-upgrade.ts'
import { LiveConsumerGroup } from '../../../src/groups/consumer/live-consumer-group.ts'
import { ProtocolChanges } from '../../../src/groups/consumer/protocol-changes.ts'
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/groups/consumer-protocol.ts'
import {
  FencedInstanceError,
  GroupNotUpgradableError,
  IllegalGenerationError,
  InconsistentGroupProtocolError,
  UnknownMemberError,
} from '../../../src/groups/group-errors.ts'
import { GroupMemory } from '../../../src/groups/group-memory.ts'
import { BenchTopics, benchSettings, ConsumerGroupBench, joinOf } from './consumer-group-bench.ts'

const topics = new BenchTopics()
topics.set('t', 4)

function placesOf(partitions: readonly number[]) {
  return partitions.map((partition) => ({ topic: 't', partition }))
}

function saying(owned: readonly number[] = [], generationId = -1): Buffer {
  const said = { topics: ['t'], userData: null, ownedPartitions: placesOf(owned), rackId: 'r' }
  return encodeSubscription({ ...said, generationId })
}

function given(partitions: readonly number[], userData: Buffer | null = null): Buffer {
  return encodeAssignment({ partitions: placesOf(partitions), userData })
}

function member(memberId: string, said: Partial<HandedOverMember> = {}): HandedOverMember {
  return {
    ...{ memberId, groupInstanceId: null, clientId: 'c', clientHost: '/::1' },
    ...{ rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 10_000, local: null },
    ...{ protocols: [{ name: 'range', metadata: saying() }], assignment: given([]) },
    ...said,
  }
}

function group(
  members: readonly HandedOverMember[],
  said: Partial<HandedOverGroup> = {},
): HandedOverGroup {
  return {
    ...{ protocolType: 'consumer', generation: 7, protocol: 'range', leader: 'a' },
    ...{ currentStateTimestamp: 1, isStable: true, members },
    ...said,
  }
}

function partsOf(handed: HandedOverGroup): Record<string, readonly number[]> {
  const { state } = upgraded('g', handed, topics, benchSettings)
  return Object.fromEntries(
    [...state.members.values()].map(({ memberId, assigned }) => {
      return [memberId, [...assigned.values()].flatMap((of) => [...of.keys()])]
    }),
  )
}

test('a classic group becomes one of the consumer protocol in Kafka’s records', () => {
  const handed = group([member('a', { assignment: given([0, 1]) }), member('b')])
  const { state, records } = upgraded('g', handed, topics, benchSettings)
  expect(records.map(({ kind }) => kind)).toEqual([
    ...['member', 'member', 'epoch', 'target', 'target', 'targetEpoch', 'current', 'current'],
  ])
  expect(state).toMatchObject({ epoch: 7, targetEpoch: 7, targetTimestamp: 0, classicCount: 2 })
  expect(state.members.get('a')).toMatchObject({
    ...{ memberEpoch: 7, previousMemberEpoch: 7, state: 'stable', rackId: 'r' },
    ...{ topicNames: ['t'], rebalanceTimeoutMs: 60_000, classic: { sessionTimeoutMs: 10_000 } },
  })
})

test('nobody has what another has, whatever was said and given', () => {
  const twice = group([
    member('a', { assignment: given([0, 1, 9]) }),
    member('b', { assignment: given([1, 2]) }),
  ])
  expect(partsOf(twice)).toEqual({ a: [0, 1], b: [2] })
  const protocols = (owned: readonly number[], generation: number) => {
    return { protocols: [{ name: 'range', metadata: saying(owned, generation) }] }
  }
  const moving = [
    member('a', { ...protocols([0, 1, 2], 5), assignment: given([0, 1]) }),
    member('b', { ...protocols([2, 3], 6), assignment: given([1, 2]) }),
  ]
  // What was given holds; what was not given to anybody is with who had it.
  expect(partsOf(group(moving))).toEqual({ a: [0, 1], b: [1, 2, 3].slice(1) })
  // In a rebalance who had it has it.
  expect(partsOf(group(moving, { isStable: false }))).toEqual({ a: [0, 1], b: [2, 3] })
})

test('a group that cannot be taken along is refused', () => {
  const large = { name: 'range', metadata: Buffer.alloc(400_000) }
  const refusals: readonly [HandedOverGroup, Partial<typeof benchSettings>, RegExp][] = [
    [group([member('a')]), { migrationPolicy: 'downgrade' }, /online upgrade is disabled/],
    [group([member('a')]), { membersMax: 0 }, /maximum size/],
    [group([member('a')], { protocolType: 'connect' }), {}, /consumer embedded protocol/],
    [group([member('a', { assignment: Buffer.from('all') })]), {}, /malformed/],
    [group([member('a', { assignment: given([], Buffer.from('x')) })]), {}, /more than partitions/],
    [group([member('a', { protocols: [] })]), {}, /malformed/],
    [group([member('a', { protocols: [large, large] })]), {}, /more than can be noted at once/],
  ]
  for (const [handed, settings, reason] of refusals) {
    const upgrade = () => upgraded('g', handed, topics, { ...benchSettings, ...settings })
    expect(upgrade).toThrow(GroupNotUpgradableError)
    expect(upgrade).toThrow(reason)
  }
})

/** Two classic members that have all, and one of the consumer protocol that waits. */
function mixed(): ConsumerGroupBench {
  const bench = new ConsumerGroupBench()
  bench.topics.set('t', 4)
  const handed = group([
    member('a', { assignment: given([0, 1]) }),
    member('b', { assignment: given([2, 3]), groupInstanceId: 'two' }),
  ])
  bench.note(upgraded('g', handed, bench.topics, benchSettings).records)
  bench.beat(joinOf('c'))
  return bench
}

test('a group is handed back with what its members have', () => {
  const { state, topics: known } = mixed()
  const c = state.members.get('c')
  const a = state.members.get('a')
  if (c === undefined || a === undefined) throw new Error('there are no members')
  expect(isDowngrade(state, [c], 0, benchSettings)).toBe(true)
  expect(isDowngrade(state, [], 0, benchSettings)).toBe(false)
  expect(isDowngrade(state, [a], 0, benchSettings)).toBe(false)
  expect(isDowngrade(state, [c], 0, { ...benchSettings, migrationPolicy: 'upgrade' })).toBe(false)
  expect(isDowngrade(state, [c], 1, { ...benchSettings, classicMembersMax: 2 })).toBe(false)
  const protocols = [{ name: 'range', metadata: Buffer.alloc(600_000) }]
  const value = { ...a, classic: { sessionTimeoutMs: 1, protocols } }
  state.apply({ kind: 'member', group: 'g', memberId: 'a', value })
  expect(isDowngrade(state, [c], 0, benchSettings)).toBe(false)
  state.apply({ kind: 'member', group: 'g', memberId: 'a', value: a })
  const localOf = () => null
  const handed = downgraded(state, {
    ...{ leaving: [c], joining: null, nowMs: 5, topics: known, localOf },
  })
  expect(handed).toMatchObject({ generation: 8, protocol: 'range', leader: null })
  const parts = handed.members.map(({ memberId, assignment }) => {
    return [memberId, decodeAssignment(assignment).partitions.map(({ partition }) => partition)]
  })
  expect(parts).toEqual([
    ['a', [0, 1]],
    ['b', [2, 3]],
  ])
})

test('classic members are known by their ids, names and generations', () => {
  const { state, topics: known } = mixed()
  const who = (memberId: string, groupInstanceId: string | null, generation = 7) => {
    return () => classicMember(state, 'g', { memberId, groupInstanceId, generation })
  }
  expect(who('a', null)().member.memberId).toBe('a')
  expect(who('b', 'two')().member.memberId).toBe('b')
  expect(who('x', null)).toThrow(UnknownMemberError)
  expect(who('c', null, 8)).toThrow(UnknownMemberError)
  expect(who('a', 'two')).toThrow(FencedInstanceError)
  expect(who('a', null, 8)).toThrow(IllegalGenerationError)
  const leaving = (memberId: string, groupInstanceId: string | null) => {
    return memberLeaving(state, 'g', { memberId, groupInstanceId })
  }
  expect(leaving('', 'two')).toMatchObject({ memberId: 'b' })
  expect(leaving('', 'three')).toBeInstanceOf(UnknownMemberError)
  expect(leaving('a', 'two')).toBeInstanceOf(FencedInstanceError)
  expect(isToRejoin(state, who('a', null)().member)).toBe(true)
  const { classic } = who('a', null)()
  const sync = { memberId: 'a', groupInstanceId: null, generation: 7, assignments: new Map() }
  checkBelief('g', classic, sync)
  expect(() => checkBelief('g', classic, { ...sync, protocol: 'sticky' })).toThrow(
    InconsistentGroupProtocolError,
  )
  const request = {
    ...{ memberId: '', groupInstanceId: null, clientId: 'c', clientHost: '/::1', local: null },
    ...{ sessionTimeoutMs: 1, rebalanceTimeoutMs: 2, protocolType: 'consumer' },
  }
  const join = (name: string, metadata: Buffer, protocolType = 'consumer') => {
    const asked = { ...request, protocolType, protocols: [{ name, metadata }] }
    return () => joinAsHeartbeat(state, 'g', asked, 'new', known)
  }
  expect(join('range', saying([3], 2))()).toMatchObject({
    ...{ memberEpoch: 0, topicNames: ['t'], owned: [{ partitions: [3] }], rebalanceTimeoutMs: 2 },
  })
  expect(join('sticky', saying())).toThrow(InconsistentGroupProtocolError)
  expect(join('range', saying(), 'connect')).toThrow(InconsistentGroupProtocolError)
  expect(join('range', Buffer.from('x'))).toThrow(InconsistentGroupProtocolError)
})

test('members of the process are told that they are none, and what they took is let go of', () => {
  const { state } = mixed()
  const memory = new GroupMemory()
  const live = new LiveConsumerGroup('g', new ManualClock(), memory)
  const told: unknown[] = []
  const local = { rebalance: () => undefined, removed: (error: Error) => told.push(error) }
  for (const memberId of ['a', 'b']) {
    live.measure(memberId, state)
    live.place(memberId, memberId === 'b' ? 'two' : null, local)
  }
  expect(memory.usedBytes).toBeGreaterThan(1_000)
  expect(live.localOf('a')).toBe(local)
  // Another has the name of one by now; the group is none any more for the other.
  const b = state.members.get('b')
  if (b !== undefined) {
    const value = { ...b, memberId: 'b2' }
    state.apply({ kind: 'member', group: 'g', memberId: 'b2', value })
    state.apply({ kind: 'member', group: 'g', memberId: 'b', value: null })
  }
  live.measure('b', state)
  live.measure('a', null)
  expect(told.map((error) => (error as Error).constructor)).toEqual([
    FencedInstanceError,
    UnknownMemberError,
  ])
  expect(memory.usedBytes).toBe(0)
  live.handOver()
})

test('a change that fails gives the classic group back, unless all is over', async () => {
  const done: string[] = []
  let isClosed = false
  const changes = new ProtocolChanges({
    ...{ clock: new ManualClock(), topics },
    classic: {
      handedOver: () => null,
      handOver: () => done.push('handed over'),
      forget: () => done.push('forgotten'),
      takeOver: (_, __, rebalances) => done.push(`taken over ${rebalances}`),
    },
    noteUpgrade: () => {
      expect(changes.isChanging('g')).toBe(true)
      return Promise.reject(new Error('no space left'))
    },
    noteDowngrade: () => Promise.resolve(),
    localOf: () => null,
    drop: () => done.push('dropped'),
    isClosed: () => isClosed,
  })
  const handed = group([member('a')])
  await expect(changes.upgrade('g', [], handed)).rejects.toThrow('no space left')
  isClosed = true
  await expect(changes.upgrade('g', [], handed)).rejects.toThrow('no space left')
  expect(done).toEqual(['handed over', 'taken over true', 'handed over'])
  expect(changes.isChanging('g')).toBe(false)
  isClosed = false
  const { state } = mixed()
  const c = state.members.get('c')
  await changes.downgrade('g', state, c === undefined ? [] : [c])
  expect(done.slice(3)).toEqual(['dropped', 'taken over true'])
})

test('a group that is handed over does nothing any more, and is one again elsewhere', () => {
  const clock = new ManualClock()
  const memory = new GroupMemory()
  const groups = new ClassicGroups(
    (_, unused) => ({
      ...{ clock, memory, unused, membersMax: () => 9, newMemberId: (prefix: string) => prefix },
      ...{ save: () => Promise.resolve(), failed: () => undefined },
    }),
    () => false,
  )
  groups.takeOver('g', group([member('a', { assignment: given([1]) })]), false)
  expect(groups.find('g')?.state).toBe('Stable')
  const handed = groups.handedOver('g')
  expect(handed).toMatchObject({ generation: 7, isStable: true, members: [{ memberId: 'a' }] })
  groups.handOver('g')
  expect(memory.usedBytes).toBe(0)
  groups.forget('g')
  expect(() => groups.of('g', 'a')).toThrow(UnknownMemberError)
  if (handed !== null) groups.takeOver('g', handed, true)
  expect(groups.of('g', 'a').state).toBe('PreparingRebalance')
  groups.make('h')
  groups.dropUnused('h')
  expect([...groups.names]).toEqual(['g'])
  groups.close()
})

test('a group whose members are of one protocol by its policy takes no classic ones', async () => {
  const { state } = mixed()
  const settings = { ...benchSettings, migrationPolicy: 'disabled' as const }
  const members = new ClassicMembers({ settings: () => settings } as never)
  await expect(members.join('g', state, {} as never)).rejects.toThrow(
    InconsistentGroupProtocolError,
  )
})
