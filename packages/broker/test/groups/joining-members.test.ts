import { expect, test } from 'vitest'
import {
  InconsistentGroupProtocolError,
  MemberIdRequiredError,
  RebalanceInProgressError,
  UnknownMemberError,
} from '../../src/groups/group-errors.ts'
import type { JoinResult } from '../../src/groups/group-protocol.ts'
import { identityOf, RemoteGroupBench } from './group-bench.ts'

/** Joins as clients since KIP-394 do: first it is told its id. */
async function idFor(bench: RemoteGroupBench, clientId: string): Promise<string> {
  const error = await bench.join(clientId, { needsKnownId: true }).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(MemberIdRequiredError)
  return error instanceof MemberIdRequiredError ? error.memberId : ''
}

test('who is new joins with the id that it is given first', async () => {
  const bench = new RemoteGroupBench()
  const memberId = await idFor(bench, 'a')
  expect([bench.group.state, bench.group.size]).toEqual(['Empty', 0])
  const joined = await bench.join('a', { memberId, needsKnownId: true })
  expect([joined.memberId, joined.generation]).toEqual([memberId, 1])
  // Only once: who comes again with it is a member that joins again.
  await bench.sync(joined)
  const again = bench.join('a', { memberId: 'a-never-given', needsKnownId: true })
  await expect(again).rejects.toBeInstanceOf(UnknownMemberError)
})

test('an id that is not used is forgotten after a session, and so is a group of such', async () => {
  const bench = new RemoteGroupBench()
  const memberId = await idFor(bench, 'a')
  expect(bench.group.isUnused).toBe(false)
  bench.clock.advance(10_000)
  expect([bench.group.isUnused, bench.unused]).toEqual([true, 1])
  await expect(bench.join('a', { memberId })).rejects.toBeInstanceOf(UnknownMemberError)
})

test('a rebalance waits for those who were given an id, until they leave or are late', async () => {
  const bench = new RemoteGroupBench()
  const [a, b] = await bench.pair()
  const later = await idFor(bench, 'c')
  expect(bench.group.state).toBe('Stable')
  const rejoining = (joined: JoinResult, clientId: string) =>
    bench.join(clientId, { memberId: joined.memberId })
  const again = rejoining(a, 'a')
  const other = rejoining(b, 'b')
  await Promise.resolve()
  expect(bench.group.state).toBe('PreparingRebalance')
  expect(bench.group.leave([{ memberId: later, groupInstanceId: null }])).toEqual([null])
  expect((await again).generation).toBe(3)
  await Promise.all([bench.sync(await again), bench.sync(await other)])
  await idFor(bench, 'd')
  const third = [rejoining(a, 'a'), rejoining(b, 'b')]
  bench.clock.advance(10_000)
  expect((await Promise.all(third)).map(({ generation }) => generation)).toEqual([4, 4])
})

test('an id that is given back while the group is at rest disturbs nobody', async () => {
  const bench = new RemoteGroupBench()
  await bench.pair()
  const memberId = await idFor(bench, 'c')
  expect(bench.group.leave([{ memberId, groupInstanceId: null }])).toEqual([null])
  await idFor(bench, 'd')
  bench.clock.advance(9999)
  expect(bench.group.state).toBe('Stable')
})

test('members that wait for the leader do not run out meanwhile', async () => {
  const bench = new RemoteGroupBench()
  const alone = await bench.join('a')
  await bench.sync(alone)
  const joining = bench.join('b')
  const a = await bench.join('a', { memberId: alone.memberId })
  const b = await joining
  const waiting = bench.sync(b)
  for (let second = 0; second < 15; second++) {
    bench.clock.advance(1000)
    bench.group.heartbeat(identityOf(a))
  }
  await bench.sync(a)
  expect(String(await waiting)).toBe(`for ${b.memberId}`)
  // From now on it has to be heard of.
  bench.clock.advance(10_000)
  expect(() => bench.group.heartbeat(identityOf(b))).toThrow(UnknownMemberError)
})

test('a new member waits five minutes for its first rebalance, and is told to come again', async () => {
  const bench = new RemoteGroupBench()
  const long = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }
  const first = await bench.join('a', long)
  await bench.sync(first)
  const joining = bench.join('b', long)
  bench.clock.advance(299_999)
  expect(bench.group.size).toBe(2)
  bench.clock.advance(1)
  await expect(joining).rejects.toBeInstanceOf(UnknownMemberError)
  expect(bench.group.size).toBe(1)
})

test('members that do not ask for their part in time are out, even when the others have theirs', async () => {
  const bench = new RemoteGroupBench()
  const long = { sessionTimeoutMs: 600_000 }
  const alone = await bench.join('a', long)
  await bench.sync(alone)
  const joining = bench.join('b', long)
  const a = await bench.join('a', { memberId: alone.memberId, ...long })
  const b = await joining
  await bench.sync(a)
  expect(bench.group.state).toBe('Stable')
  bench.clock.advance(60_000)
  expect(bench.group.state).toBe('PreparingRebalance')
  expect(() => bench.group.heartbeat(identityOf(b))).toThrow(UnknownMemberError)
  expect(() => bench.group.heartbeat(identityOf(a))).toThrow(RebalanceInProgressError)
})

test('whoever believes the group to be another is refused its part', async () => {
  const bench = new RemoteGroupBench()
  const joined = await bench.join('a')
  const request = { ...identityOf(joined), assignments: new Map() }
  for (const belief of [{ protocolType: 'connect' }, { protocol: 'sticky' }]) {
    const refused = bench.group.sync({ ...request, ...belief })
    await expect(refused).rejects.toBeInstanceOf(InconsistentGroupProtocolError)
  }
  await bench.group.sync({ ...request, protocolType: 'consumer', protocol: 'range' })
  const nameless = bench.join('b', { protocolType: '' })
  await expect(nameless).rejects.toBeInstanceOf(InconsistentGroupProtocolError)
})

test('what is counted of protocols follows who joins, changes and leaves', async () => {
  const bench = new RemoteGroupBench()
  const offer = (...names: string[]) => ({
    protocols: names.map((name) => ({ name, metadata: Buffer.alloc(0) })),
  })
  const alone = await bench.join('a', offer('x', 'x'))
  await bench.sync(alone)
  await expect(bench.join('b', offer('y'))).rejects.toBeInstanceOf(InconsistentGroupProtocolError)
  // Alone it may change to whatever it likes.
  const changed = await bench.join('a', { memberId: alone.memberId, ...offer('y') })
  expect(changed.protocol).toBe('y')
  const b = bench.join('b', offer('y', 'z'))
  bench.group.leave([{ memberId: alone.memberId, groupInstanceId: null }])
  expect((await b).protocol).toBe('y')
  const c = bench.join('c', offer('z'))
  const again = await bench.join('b', { memberId: (await b).memberId, ...offer('y', 'z') })
  expect([(await c).protocol, again.protocol]).toEqual(['z', 'z'])
})

test('members that leave together are one reason for a rebalance', async () => {
  const bench = new RemoteGroupBench()
  const [a, b] = await bench.pair()
  const names = [a, b].map(({ memberId }) => ({ memberId, groupInstanceId: null }))
  const [first, second, third] = bench.group.leave([...names, ...names.slice(0, 1)])
  expect([first, second]).toEqual([null, null])
  expect(third).toBeInstanceOf(UnknownMemberError)
  expect([bench.group.state, bench.group.generation]).toEqual(['Empty', 3])
})

test('a member of this process ends the wait of an empty group for more', async () => {
  const bench = new RemoteGroupBench()
  const remote = bench.join('a', { initialRebalanceDelayMs: 3000 })
  const local = { rebalance: () => undefined, removed: () => undefined }
  const inProcess = bench.join('b', { local })
  expect([(await remote).generation, (await inProcess).generation]).toEqual([1, 1])
})

test('a transaction brings offsets whatever the group does; others wait for its end', async () => {
  const bench = new RemoteGroupBench()
  const joined = await bench.join('a')
  const nobody = { memberId: '', groupInstanceId: null, generation: -1 }
  bench.group.checkCommit(nobody, true)
  bench.group.checkCommit(identityOf(joined), true)
  expect(() => bench.group.checkCommit({ ...identityOf(joined), memberId: 'x' }, true)).toThrow(
    UnknownMemberError,
  )
  expect(() => bench.group.checkCommit(identityOf(joined))).toThrow(RebalanceInProgressError)
  expect(() => bench.group.checkCommit(nobody)).toThrow(UnknownMemberError)
})
