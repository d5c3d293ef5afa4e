import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { rangeAssignor } from '../../src/groups/assigning/range-assignor.ts'
import { IllegalGenerationError, UnknownMemberError } from '../../src/groups/group-errors.ts'
import { checkProperty } from '../property.ts'
import { GroupBench, nameOf, type TestOwner } from './member-fixture.ts'

let bench: GroupBench

afterEach(() => bench.close())

describe.each([
  ['eagerly', { assignors: [rangeAssignor] }],
  ['cooperatively', {}],
] as const)('members of a group that divides %s', (_name, options) => {
  test('share the partitions, and divide them anew when one joins or leaves', async () => {
    bench = await GroupBench.open({ partitions: 6 })
    const a = await bench.join('a', options)
    expect(a.names).toHaveLength(6)
    const b = await bench.join('b', options)
    const c = await bench.join('c', options)
    await bench.settled()
    expect([a, b, c].map(({ names }) => names.length)).toEqual([2, 2, 2])
    await b.member.close()
    await bench.settled()
    expect([a, c].map(({ names }) => names.length)).toEqual([3, 3])
    expect(b.names).toEqual([])
  })

  test('a partition goes on where its last owner committed', async () => {
    bench = await GroupBench.open({ partitions: 2 })
    const a = await bench.join('a', options)
    a.handle(5)
    await a.commit()
    a.handle(2)
    const b = await bench.join('b', options)
    await bench.settled()
    for (const position of b.positions.values()) expect(position).toBe(5)
  })
})

test('members keep what they have where they divide cooperatively', async () => {
  bench = await GroupBench.open({ partitions: 4 })
  const a = await bench.join('a')
  const before = a.names
  await bench.join('b')
  await bench.settled()
  expect(a.revocations).toBe(1)
  expect(a.names).toHaveLength(2)
  for (const name of a.names) expect(before).toContain(name)
})

test('more partitions are divided when a topic has got them', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const a = await bench.join('a')
  bench.partitions = 3
  bench.coordinator.topicsChanged(new Set(['t']))
  await bench.settled()
  expect(a.names).toHaveLength(3)
})

test('a commit for a partition that is with somebody else is refused', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a')
  const [, moved] = a.names
  const b = await bench.join('b')
  await bench.settled()
  const given = b.names[0]
  expect(a.names).not.toContain(given)
  const partition = Number(given?.slice(2))
  await expect(a.member.commit([{ topic: 't', partition, offset: 9 }])).rejects.toBeInstanceOf(
    IllegalGenerationError,
  )
  expect(moved).toBeDefined()
})

test('a member whose program takes too long leaves, and comes back when that goes on', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a', { maxPollIntervalMs: 1000 })
  const b = await bench.join('b', { maxPollIntervalMs: 1000 })
  await bench.settled()
  a.member.delivered()
  bench.clock.advance(1500)
  bench.clock.advance(1000)
  await bench.settled()
  expect([a.names, b.names.length]).toEqual([[], 2])
  await expect(a.member.commit([{ topic: 't', partition: 0, offset: 1 }])).rejects.toBeInstanceOf(
    UnknownMemberError,
  )
  a.member.polled()
  await bench.settled()
  expect([a.names.length, b.names.length]).toEqual([1, 1])
})

test('a member that does not let go in time is put out, and loses what it had', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a', { maxPollIntervalMs: 1000, assignors: [rangeAssignor] })
  a.member.delivered()
  a.isStuck = true
  const b = bench.start('b', { maxPollIntervalMs: 1000, assignors: [rangeAssignor] })
  await bench.turns()
  expect(b.names).toEqual([])
  bench.clock.advance(1000)
  await bench.turns()
  expect([a.names, b.names.length]).toEqual([[], 2])
  a.unstick()
  a.member.polled()
  await bench.settled()
  expect([a.names.length, b.names.length]).toEqual([1, 1])
})

test('partitions are given up between two records, not while one is being handled', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a')
  a.member.delivered()
  const b = bench.start('b')
  await bench.turns()
  expect([a.revocations, a.names.length, b.names.length]).toEqual([0, 2, 0])
  a.handle(1)
  a.member.polled()
  expect(a.revocations).toBe(1)
  await bench.settled()
  expect([a.names.length, b.names.length]).toEqual([1, 1])
})

test('closing does not wait for a record that is being handled', async () => {
  bench = await GroupBench.open({ partitions: 2 })
  const a = await bench.join('a')
  a.member.delivered()
  bench.start('b')
  await bench.turns()
  await a.member.close()
  expect(a.names).toEqual([])
})

test('a static member that comes back gets what it had, without a rebalance', async () => {
  bench = await GroupBench.open({ partitions: 4 })
  const a = await bench.join('a', { groupInstanceId: 'one' })
  const b = await bench.join('b', { groupInstanceId: 'two' })
  await bench.settled()
  const { generation } = await bench.coordinator.describe('g')
  const had = b.names
  await b.member.close()
  const again = await bench.join('b', { groupInstanceId: 'two' })
  await bench.settled()
  expect(await bench.coordinator.describe('g')).toMatchObject({ generation })
  expect(again.names).toEqual(had)
  expect(a.names).toHaveLength(2)
})

test('a member fails when another takes its instance id', async () => {
  bench = await GroupBench.open({ partitions: 1 })
  const a = await bench.join('a', { groupInstanceId: 'one' })
  const b = await bench.join('a', { groupInstanceId: 'one' })
  await bench.settled()
  expect(a.failure).toMatchObject({ code: 'VARVE_FENCED_INSTANCE' })
  expect([a.names, b.names]).toEqual([[], ['t-0']])
})

test('a commit that falls into a rebalance is made when that is over', async () => {
  bench = await GroupBench.open({ partitions: 3 })
  const a = await bench.join('a')
  a.handle(4)
  const commits = [a.commit()]
  const joining = bench.join('b')
  for (let turn = 0; turn < 6; turn++) {
    commits.push(a.commit())
    await bench.turns(1)
  }
  await joining
  await bench.settled()
  for (const outcome of await Promise.allSettled(commits)) {
    if (outcome.status === 'rejected') {
      expect(outcome.reason).toBeInstanceOf(IllegalGenerationError)
    }
  }
  const described = await bench.coordinator.describe('g')
  const offsets = described.offsets.map(({ offset }) => offset)
  expect(offsets).toEqual([4, 4, 4])
})

interface Step {
  readonly kind: 'join' | 'leave' | 'handle' | 'commit' | 'stick' | 'crash' | 'partitions'
  readonly who: number
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...(['join', 'join', 'leave', 'handle', 'handle', 'commit', 'commit'] as const),
      ...(['stick', 'crash', 'partitions'] as const),
    ),
    who: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 25 },
)

/**
 * The owners themselves check that no partition is with two of them at once, and that each begins
 * where the last acknowledged commit was (see TestOwner).
 */
test('no partition is ever with two members, none is left out, and all go on where it was committed', async () => {
  await checkProperty(fc.tuple(steps, fc.boolean()), 60, async ([list, isEager]) => {
    const options = isEager ? { assignors: [rangeAssignor] } : {}
    bench = await GroupBench.open({ partitions: 3 })
    try {
      for (const step of list) {
        await apply(bench, step, { ...options, maxPollIntervalMs: 1000 })
        // Not always to the end: steps come in the middle of rebalances.
        await bench.turns(2)
      }
      for (const owner of bench.owners.values()) owner.unstick()
      await bench.settled()
      bench.checkAllOwned()
      await bench.restart('crash')
      bench.checkCommitted()
    } finally {
      await bench.close()
    }
  })
}, 60_000)

async function apply(on: GroupBench, step: Step, options: object): Promise<void> {
  if (step.kind === 'crash') return on.restart('crash')
  if (step.kind === 'partitions') {
    on.partitions = Math.min(on.partitions + 1, 8)
    on.coordinator.topicsChanged(new Set(['t']))
    return
  }
  const name = `m${step.who}`
  const owner: TestOwner | undefined = on.owners.get(name)
  if (step.kind === 'join') {
    if (owner === undefined) on.start(name, options)
  } else if (owner === undefined) return
  else if (step.kind === 'leave') {
    on.owners.delete(name)
    owner.unstick()
    void owner.member.close()
  } else if (step.kind === 'handle') owner.handle(step.who + 1)
  else if (step.kind === 'stick') {
    owner.member.delivered()
    owner.isStuck = true
    on.clock.advance(1001)
    on.clock.advance(1001)
    await on.turns(3)
    owner.unstick()
    owner.member.polled()
  } else {
    void owner.commit().catch((error: unknown) => {
      const isFenced =
        error instanceof IllegalGenerationError || error instanceof UnknownMemberError
      if (!isFenced && !owner.isDead) throw error
    })
  }
}

test('nothing is left open when the members have closed', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  bench = await GroupBench.open({ partitions: 2, fs, clock })
  const a = await bench.join('a')
  const before = clock.pendingTimers
  await a.member.close()
  expect(clock.pendingTimers).toBeLessThan(before)
  await a.member.close()
  expect(nameOf({ topic: 't', partition: 1 })).toBe('t-1')
})
