import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type {
  AssignableMember,
  Assignor,
  GroupAssignment,
} from '../../../src/groups/assigning/assignor.ts'
import { cooperativeStickyAssignor } from '../../../src/groups/assigning/cooperative-sticky-assignor.ts'
import { rangeAssignor } from '../../../src/groups/assigning/range-assignor.ts'
import { roundRobinAssignor } from '../../../src/groups/assigning/round-robin-assignor.ts'
import { checkProperty } from '../../property.ts'

interface KafkaCase {
  readonly partitions: Record<string, number>
  readonly members: ReadonlyArray<Pick<AssignableMember, 'memberId' | 'groupInstanceId' | 'topics'>>
  readonly range: Record<string, readonly string[]>
  readonly roundrobin: Record<string, readonly string[]>
}

/** What the assignors of Apache Kafka 4.4.0 answered. */
const cases = readFileSync(new URL('kafka-assignments.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as KafkaCase)

function namesOf(assignment: GroupAssignment): Record<string, string[]> {
  return Object.fromEntries(
    [...assignment].map(([memberId, partitions]) => [
      memberId,
      partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort(),
    ]),
  )
}

test.each([rangeAssignor, roundRobinAssignor])('$name gives what Kafka gives', (assignor) => {
  expect(cases.length).toBeGreaterThan(100)
  for (const { partitions, members, ...expected } of cases) {
    const given = members.map((member) => ({ ...member, ownedPartitions: [], generationId: -1 }))
    const assignment = assignor.assign(new Map(Object.entries(partitions)), given)
    expect(namesOf(assignment)).toEqual(expected[assignor.name as 'range' | 'roundrobin'])
  }
})

const counts = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 })
  .map((list) => new Map(list.map((count, index) => [`t${index}`, count])))
const subscriptions = fc.array(
  fc.uniqueArray(fc.integer({ min: 0, max: 4 }).map((topic) => `t${topic}`)),
  { minLength: 1, maxLength: 6 },
)

function membersOf(topics: readonly (readonly string[])[]): AssignableMember[] {
  return topics.map((list, index) => ({
    memberId: `m${index}`,
    groupInstanceId: null,
    topics: list,
    ownedPartitions: [],
    generationId: -1,
  }))
}

/** Joins again and again with what it was given, until nothing changes: a cooperative rebalance. */
function settle(
  assignor: Assignor,
  partitions: ReadonlyMap<string, number>,
  members: readonly AssignableMember[],
): { readonly members: AssignableMember[]; readonly rounds: number } {
  let current = [...members]
  for (let rounds = 1; rounds < 10; rounds++) {
    const assignment = assignor.assign(partitions, current)
    const next = current.map((member) => ({
      ...member,
      ownedPartitions: assignment.get(member.memberId) ?? [],
      generationId: rounds + 1000,
    }))
    const isSettled = current.every((member, index) => {
      const now = new Set(next[index]?.ownedPartitions.map(nameOf))
      return member.ownedPartitions.every((partition) => now.has(nameOf(partition)))
    })
    if (isSettled) return { members: next, rounds }
    current = next
  }
  throw new Error('it did not settle')
}

const nameOf = (given: { readonly topic: string; readonly partition: number }): string =>
  `${given.topic}-${given.partition}`

function expectEachOnce(
  partitions: ReadonlyMap<string, number>,
  members: readonly AssignableMember[],
): void {
  const subscribed = new Set(members.flatMap((member) => member.topics))
  const all = [...partitions].flatMap(([topic, count]) =>
    subscribed.has(topic) ? Array.from({ length: count }, (_, index) => `${topic}-${index}`) : [],
  )
  const given = members.flatMap((member) => member.ownedPartitions.map(nameOf))
  expect(given.sort()).toEqual(all.sort())
  for (const member of members) {
    for (const { topic } of member.ownedPartitions) expect(member.topics).toContain(topic)
  }
}

describe.each([rangeAssignor, roundRobinAssignor, cooperativeStickyAssignor])(
  '$name',
  (assignor) => {
    test('gives every partition to exactly one member that reads its topic', async () => {
      await checkProperty(fc.tuple(counts, subscriptions), 200, ([partitions, topics]) => {
        expectEachOnce(partitions, settle(assignor, partitions, membersOf(topics)).members)
      })
    })
  },
)

describe('cooperative-sticky', () => {
  test('balances within one where all read the same, and moves no more than that needs', async () => {
    const sizes = fc.integer({ min: 1, max: 7 })
    await checkProperty(fc.tuple(counts, sizes, sizes), 200, ([partitions, before, after]) => {
      const topics = [...partitions.keys()]
      const old = settle(
        cooperativeStickyAssignor,
        partitions,
        membersOf(Array(before).fill(topics)),
      )
      const fresh = membersOf(Array(after).fill(topics))
      const joined = fresh.map((member, index) => old.members[index] ?? member)
      const { members, rounds } = settle(cooperativeStickyAssignor, partitions, joined)
      expectEachOnce(partitions, members)
      const loads = members.map((member) => member.ownedPartitions.length)
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
      expect(rounds).toBeLessThanOrEqual(2)
      const total = loads.reduce((sum, load) => sum + load, 0)
      for (const [index, member] of members.entries()) {
        const had = joined[index]?.ownedPartitions ?? []
        const kept = had.filter((partition) => {
          return member.ownedPartitions.some((given) => nameOf(given) === nameOf(partition))
        })
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(had.length, Math.floor(total / after)))
      }
    })
  })

  test('is as even as chains of subscriptions allow', () => {
    const owned = (topic: string, count: number) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    const member = (
      memberId: string,
      topics: string[],
      ownedPartitions: { topic: string; partition: number }[],
    ) => ({
      memberId,
      groupInstanceId: null,
      topics,
      ownedPartitions,
      generationId: 1,
    })
    const partitions = new Map([
      ['a', 3],
      ['b', 2],
      ['c', 1],
    ])
    const { members } = settle(cooperativeStickyAssignor, partitions, [
      member('x', ['a'], owned('a', 3)),
      member('y', ['a', 'b'], owned('b', 2)),
      member('z', ['b', 'c'], owned('c', 1)),
    ])
    expect(members.map(({ ownedPartitions }) => ownedPartitions.length)).toEqual([2, 2, 2])
  })

  test('gives a partition that moves to nobody before its owner has given it up', async () => {
    await checkProperty(
      fc.tuple(counts, subscriptions, subscriptions),
      200,
      ([partitions, before, after]) => {
        const old = settle(cooperativeStickyAssignor, partitions, membersOf(before)).members
        const joined = membersOf(after).map((member, index) => ({
          ...member,
          ownedPartitions: old[index]?.ownedPartitions ?? [],
          generationId: old[index]?.generationId ?? -1,
        }))
        const assignment = cooperativeStickyAssignor.assign(partitions, joined)
        for (const member of joined) {
          for (const partition of assignment.get(member.memberId) ?? []) {
            const others = joined.filter((other) => other !== member)
            const isHeld = others.some((other) =>
              other.ownedPartitions.some((held) => nameOf(held) === nameOf(partition)),
            )
            expect(isHeld).toBe(false)
          }
        }
      },
    )
  })

  test('believes the latest generation where two claim a partition', () => {
    const claim = (memberId: string, generationId: number): AssignableMember => ({
      memberId,
      groupInstanceId: null,
      topics: ['t'],
      ownedPartitions: [{ topic: 't', partition: 0 }],
      generationId,
    })
    const counts1 = new Map([['t', 1]])
    const later = cooperativeStickyAssignor.assign(counts1, [claim('a', 4), claim('b', 5)])
    expect(namesOf(later)).toEqual({ a: [], b: ['t-0'] })
    const tied = cooperativeStickyAssignor.assign(counts1, [claim('a', 5), claim('b', 5)])
    expect(namesOf(tied)).toEqual({ a: [], b: [] })
  })
})
