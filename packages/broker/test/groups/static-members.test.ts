import { expect, test } from 'vitest'
import { encodeSubscription } from '../../src/groups/consumer-protocol.ts'
import { FencedInstanceError, UnknownMemberError } from '../../src/groups/group-errors.ts'
import type { JoinRequest } from '../../src/groups/group-protocol.ts'
import { identityOf, RemoteGroupBench } from './group-bench.ts'

const named = { groupInstanceId: 'i' }

function reading(topics: readonly string[], owned = 0, ...names: string[]): Partial<JoinRequest> {
  const metadata = encodeSubscription({
    topics,
    userData: null,
    ownedPartitions: Array.from({ length: owned }, (_, partition) => ({ topic: 't', partition })),
    generationId: owned === 0 ? -1 : 1,
    rackId: null,
  })
  const offered = names.length === 0 ? ['range'] : names
  return { groupInstanceId: 'i', protocols: offered.map((name) => ({ name, metadata })) }
}

test('a static member comes back without a rebalance, and fences who had its name', async () => {
  const bench = new RemoteGroupBench()
  const first = await bench.join('a', named)
  await bench.sync(first, 'i')
  const second = await bench.join('a', named)
  expect([bench.group.state, second.generation]).toEqual(['Stable', 1])
  expect(second.memberId).not.toBe(first.memberId)
  expect(String(await bench.sync(second, 'i'))).toBe(`for ${first.memberId}`)
  expect(() => bench.group.heartbeat(identityOf(first, 'i'))).toThrow(FencedInstanceError)
  expect(() => bench.group.checkCommit(identityOf(first, 'i'))).toThrow(FencedInstanceError)
  bench.group.heartbeat(identityOf(second, 'i'))
  expect(bench.saved.at(-1)?.members[0]).toMatchObject({ memberId: second.memberId })
})

test('a static leader that is back is told of the others, and has nothing to divide', async () => {
  const bench = new RemoteGroupBench()
  await bench.sync(await bench.join('a', named), 'i')
  const back = await bench.join('a', named)
  expect(back).toMatchObject({ leader: back.memberId, skipAssignment: true })
  expect(back.members.map(({ memberId }) => memberId)).toEqual([back.memberId])
})

test('what a static member had before does not count when it is back, but what it reads', async () => {
  const bench = new RemoteGroupBench()
  await bench.sync(await bench.join('a', reading(['t'])), 'i')
  await bench.sync(await bench.join('a', reading(['t'], 3)), 'i')
  expect([bench.group.state, bench.group.generation]).toEqual(['Stable', 1])
  const other = await bench.join('a', reading(['t', 'u']))
  expect([bench.group.state, other.generation]).toEqual(['CompletingRebalance', 2])
})

test('a static member that is back with another assignor is reason for a rebalance', async () => {
  const bench = new RemoteGroupBench()
  await bench.sync(await bench.join('a', reading(['t'], 0, 'x', 'y')), 'i')
  const back = await bench.join('a', reading(['t'], 0, 'y'))
  expect([back.generation, back.protocol]).toEqual([2, 'y'])
})

test('a static member that comes back while others wait for parts has everybody join anew', async () => {
  const bench = new RemoteGroupBench()
  const first = await bench.join('a', named)
  const syncing = bench.group.sync({ ...identityOf(first, 'i'), assignments: new Map() })
  const back = await bench.join('a', named)
  await expect(syncing).rejects.toBeInstanceOf(FencedInstanceError)
  expect([back.generation, bench.group.state]).toEqual([2, 'CompletingRebalance'])
})

test('a static member that is back is answered when its new id is noted, or told why not', async () => {
  const bench = new RemoteGroupBench()
  await bench.sync(await bench.join('a', named), 'i')
  bench.failure = new Error('disk full')
  await expect(bench.join('a', named)).rejects.toThrow('disk full')
  bench.failure = null
  const back = await bench.join('a', named)
  expect([bench.group.state, back.generation]).toEqual(['Stable', 1])
})

test('a static member that detached keeps its part for its session', async () => {
  const bench = new RemoteGroupBench()
  const first = await bench.join('a', named)
  await bench.sync(first, 'i')
  bench.group.detach(first.memberId)
  bench.clock.advance(9999)
  expect([bench.group.state, bench.group.size]).toEqual(['Stable', 1])
  bench.clock.advance(1)
  expect([bench.group.state, bench.group.size]).toEqual(['Empty', 0])
})

test('static members stay through a rebalance that they do not come to', async () => {
  const bench = new RemoteGroupBench()
  const long = { sessionTimeoutMs: 600_000 }
  await bench.sync(await bench.join('a', { ...named, ...long }), 'i')
  const joining = bench.join('b', long)
  bench.clock.advance(60_000)
  const b = await joining
  expect(b.members).toHaveLength(2)
  expect(b.leader).toBe(b.memberId)
})

test('operators take static members out by their names', async () => {
  const bench = new RemoteGroupBench()
  const first = await bench.join('a', named)
  await bench.sync(first, 'i')
  const [unknown, fenced, gone] = bench.group.leave([
    { memberId: '', groupInstanceId: 'other' },
    { memberId: 'x', groupInstanceId: 'i' },
    { memberId: '', groupInstanceId: 'i' },
  ])
  expect(unknown).toBeInstanceOf(UnknownMemberError)
  expect(fenced).toBeInstanceOf(FencedInstanceError)
  expect([gone, bench.group.state]).toEqual([null, 'Empty'])
})

test('an instance that is not known may do nothing, whatever member id it says', async () => {
  const bench = new RemoteGroupBench()
  const joined = await bench.join('a')
  await bench.sync(joined)
  expect(() => bench.group.heartbeat(identityOf(joined, 'i'))).toThrow(UnknownMemberError)
})
