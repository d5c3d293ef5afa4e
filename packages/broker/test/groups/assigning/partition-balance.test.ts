import { expect, test } from 'vitest'
import { PartitionBalance } from '../../../src/groups/assigning/partition-balance.ts'

function balanceOf(topics: Readonly<Record<string, readonly string[]>>): PartitionBalance {
  return new PartitionBalance(
    Object.entries(topics).map(([memberId, list]) => ({
      memberId,
      groupInstanceId: null,
      topics: list,
      ownedPartitions: [],
      generationId: -1,
    })),
  )
}

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))

test('partitions that few may read are dealt before those that many may', () => {
  const balance = balanceOf({ a: ['x'], b: ['x', 'y'] })
  balance.deal([...partitionsOf('x', 2), ...partitionsOf('y', 2)])
  expect(balance.partitionsOf('a')).toEqual(partitionsOf('x', 2))
  expect(balance.partitionsOf('b')).toEqual(partitionsOf('y', 2))
})

test('what came last goes first where a member has too much', () => {
  const balance = balanceOf({ a: ['x'], b: ['x'] })
  for (const partition of partitionsOf('x', 4)) balance.keep('a', partition)
  balance.even()
  expect(balance.partitionsOf('a')).toEqual(partitionsOf('x', 2))
  expect(balance.partitionsOf('b').map(({ partition }) => partition)).toEqual([3, 2])
})

test('hundreds of members who do not all read the same take no time', () => {
  const topics = Array.from({ length: 50 }, (_, index) => `x${index}`)
  const members = Array.from({ length: 300 }, (_, index) => `m${index}`)
  const reading = members.map((memberId): [string, string[]] => [memberId, topics])
  const balance = balanceOf({ ...Object.fromEntries(reading), other: ['y'] })
  balance.deal(topics.flatMap((topic) => partitionsOf(topic, 60)))
  const started = performance.now()
  balance.even()
  // Many seconds where each is looked at by itself.
  expect(performance.now() - started).toBeLessThan(2000)
  expect(members.every((memberId) => balance.partitionsOf(memberId).length === 10)).toBe(true)
})

test('nothing moves between members who read nothing in common', () => {
  const balance = balanceOf({ a: ['x'], b: ['y'] })
  balance.deal(partitionsOf('x', 5))
  balance.even()
  expect([balance.partitionsOf('a').length, balance.partitionsOf('b').length]).toEqual([5, 0])
  expect([balance.mayRead('a', 'x'), balance.mayRead('a', 'y'), balance.mayRead('c', 'x')]).toEqual(
    [true, false, false],
  )
})
