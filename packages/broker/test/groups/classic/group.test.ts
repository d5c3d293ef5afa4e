import { describe, expect, test } from 'vitest'
import { restoredGroup } from '../../../src/groups/classic/restored-group.ts'
import {
  GroupNotEmptyError,
  IllegalGenerationError,
  InconsistentGroupProtocolError,
  RebalanceInProgressError,
  UnknownMemberError,
} from '../../../src/groups/group-errors.ts'
import type { GroupMetadata } from '../../../src/groups/group-metadata.ts'
import { identityOf, RemoteGroupBench } from '../group-bench.ts'

describe('a group', () => {
  test('of one member is stable when that has given itself its part', async () => {
    const bench = new RemoteGroupBench()
    expect(bench.group.state).toBe('Empty')
    const joined = await bench.join('a')
    expect(bench.group.state).toBe('CompletingRebalance')
    expect(joined).toMatchObject({ generation: 1, protocol: 'range', leader: joined.memberId })
    expect(String(await bench.sync(joined))).toBe(`for ${joined.memberId}`)
    expect(bench.group.state).toBe('Stable')
    expect(bench.saved.at(-1)).toMatchObject({ generation: 1, leader: joined.memberId })
  })

  test('waits for all members in a rebalance, and only the leader learns of the others', async () => {
    const bench = new RemoteGroupBench()
    const alone = await bench.join('a')
    await bench.sync(alone)
    const joining = bench.join('b')
    expect(bench.group.state).toBe('PreparingRebalance')
    expect(() => bench.group.heartbeat(identityOf(alone))).toThrow(RebalanceInProgressError)
    const a = await bench.join('a', { memberId: alone.memberId })
    const b = await joining
    expect(a.generation).toBe(2)
    expect(a.members.map(({ metadata }) => String(metadata)).sort()).toEqual(['a', 'b'])
    expect(b.members).toEqual([])
    const [forB, forA] = await Promise.all([bench.sync(b), bench.sync(a)])
    expect([String(forA), String(forB)]).toEqual([`for ${a.memberId}`, `for ${b.memberId}`])
    bench.group.heartbeat(identityOf(b))
  })

  test('goes on without a member that does not come to the rebalance in time', async () => {
    const bench = new RemoteGroupBench()
    const [a, b] = await bench.pair()
    const joining = bench.join('c')
    const again = bench.join('a', { memberId: a.memberId })
    for (let second = 0; second < 60; second++) {
      bench.clock.advance(1000)
      // Alive, but it does not join.
      if (bench.group.state === 'PreparingRebalance') {
        expect(() => bench.group.heartbeat(identityOf(b))).toThrow(RebalanceInProgressError)
      }
    }
    expect((await again).members).toHaveLength(2)
    expect((await joining).generation).toBe(3)
    expect(() => bench.group.heartbeat(identityOf(b))).toThrow(UnknownMemberError)
  })

  test('puts out a member that is silent for its session', async () => {
    const bench = new RemoteGroupBench()
    const [a, b] = await bench.pair()
    bench.clock.advance(6000)
    bench.group.heartbeat(identityOf(a))
    bench.clock.advance(6000)
    expect(bench.group.state).toBe('PreparingRebalance')
    const again = await bench.join('a', { memberId: a.memberId })
    expect(again.members.map(({ memberId }) => memberId)).toEqual([a.memberId])
    expect(() => bench.group.checkCommit(identityOf(b))).toThrow(UnknownMemberError)
  })

  test('puts out a member that joined and does not ask for its part', async () => {
    const bench = new RemoteGroupBench()
    const alone = await bench.join('a', { sessionTimeoutMs: 600_000 })
    bench.clock.advance(60_000)
    expect(bench.group.state).toBe('Empty')
    await expect(bench.sync(alone)).rejects.toBeInstanceOf(UnknownMemberError)
  })

  test('is empty, of a new generation, when the last member has left', async () => {
    const bench = new RemoteGroupBench()
    const [a, b] = await bench.pair()
    bench.group.leave([{ memberId: a.memberId, groupInstanceId: null }])
    expect(() => bench.group.die()).toThrow(GroupNotEmptyError)
    bench.group.leave([{ memberId: b.memberId, groupInstanceId: null }])
    expect([bench.group.state, bench.group.generation]).toEqual(['Empty', 3])
    expect(bench.saved.at(-1)).toMatchObject({ members: [], protocol: null, leader: null })
    bench.group.die()
    await expect(bench.join('a')).rejects.toBeInstanceOf(UnknownMemberError)
  })

  test('refuses commits of old generations, of strangers, and between join and sync', async () => {
    const bench = new RemoteGroupBench()
    bench.group.checkCommit({ memberId: '', groupInstanceId: null, generation: -1 })
    const joined = await bench.join('a')
    const identity = identityOf(joined)
    expect(() => bench.group.checkCommit(identity)).toThrow(RebalanceInProgressError)
    await bench.sync(joined)
    bench.group.checkCommit(identity)
    expect(() => bench.group.checkCommit({ ...identity, generation: 0 })).toThrow(
      IllegalGenerationError,
    )
    expect(() => bench.group.checkCommit({ ...identity, memberId: 'x' })).toThrow(
      UnknownMemberError,
    )
    const admin = { memberId: '', groupInstanceId: null, generation: -1 }
    expect(() => bench.group.checkCommit(admin)).toThrow(UnknownMemberError)
    // What was handled before a rebalance may be committed until all have joined.
    void bench.join('b').catch(() => undefined)
    bench.group.checkCommit(identity)
    bench.group.close(new Error('over'))
  })

  test('gives a follower that joins again with nothing new what it has', async () => {
    const bench = new RemoteGroupBench()
    const [a, b] = await bench.pair()
    const again = await bench.join('b', { memberId: b.memberId })
    expect([again.generation, bench.group.state]).toEqual([2, 'Stable'])
    expect(String(await bench.sync(again))).toBe(`for ${b.memberId}`)
    const changed = bench.join('b', {
      memberId: b.memberId,
      protocols: [{ name: 'range', metadata: Buffer.from('more topics') }],
    })
    expect(bench.group.state).toBe('PreparingRebalance')
    await bench.join('a', { memberId: a.memberId })
    expect((await changed).generation).toBe(3)
  })

  test('starts a rebalance anew when its assignment cannot be noted', async () => {
    const bench = new RemoteGroupBench()
    const joined = await bench.join('a')
    bench.failure = new Error('disk full')
    await expect(bench.sync(joined)).rejects.toThrow('disk full')
    expect(bench.group.state).toBe('PreparingRebalance')
    bench.failure = null
    await bench.sync(await bench.join('a', { memberId: joined.memberId }))
    expect(bench.group.state).toBe('Stable')
  })

  test('takes the assignor that all have and most prefer', async () => {
    const bench = new RemoteGroupBench()
    const offer = (...names: string[]) => ({
      protocols: names.map((name) => ({ name, metadata: Buffer.alloc(0) })),
    })
    const alone = await bench.join('a', offer('x', 'y', 'z'))
    expect(alone.protocol).toBe('x')
    await bench.sync(alone)
    const b = bench.join('b', offer('z', 'y'))
    const c = bench.join('c', offer('w', 'z', 'y'))
    const d = bench.join('d', offer('w'))
    await expect(d).rejects.toBeInstanceOf(InconsistentGroupProtocolError)
    await expect(bench.join('e', { protocolType: 'connect' })).rejects.toBeInstanceOf(
      InconsistentGroupProtocolError,
    )
    await bench.join('a', { memberId: alone.memberId, ...offer('x', 'y', 'z') })
    expect([(await b).protocol, (await c).protocol]).toEqual(['z', 'z'])
  })

  test('waits for more members when it is empty, where that is asked for', async () => {
    const bench = new RemoteGroupBench()
    const delayed = { initialRebalanceDelayMs: 3000 }
    const a = bench.join('a', delayed)
    bench.clock.advance(2999)
    const b = bench.join('b', delayed)
    bench.clock.advance(3000)
    expect(bench.group.state).toBe('PreparingRebalance')
    bench.clock.advance(1)
    expect([(await a).generation, (await b).generation]).toEqual([1, 1])
  })
})

describe('a group that was noted', () => {
  test('goes on with its members, who have a session to be heard of', async () => {
    const bench = new RemoteGroupBench()
    const [a, b] = await bench.pair()
    const metadata = bench.saved.at(-1) as GroupMetadata
    bench.group.close(new Error('stopped'))
    const group = restoredGroup('g', metadata, bench.context)
    expect([group.state, group.generation, group.size]).toEqual(['Stable', 2, 2])
    group.heartbeat(identityOf(a))
    bench.clock.advance(9000)
    group.heartbeat(identityOf(a))
    bench.clock.advance(2000)
    expect(() => group.heartbeat(identityOf(b))).toThrow(UnknownMemberError)
  })

  test('has lost the members of the process that ended', async () => {
    const bench = new RemoteGroupBench()
    const local = { rebalance: () => undefined, removed: () => undefined }
    await bench.sync(await bench.join('a', { local, clientHost: 'in-process' }))
    const group = restoredGroup('g', bench.saved.at(-1) as GroupMetadata, bench.context)
    expect([group.state, group.generation, group.size]).toEqual(['Empty', 1, 0])
  })
})
