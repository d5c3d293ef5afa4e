import { expect, test } from 'vitest'
import { PartitionBalance } from '../../src/groups/partition-balance.ts'

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

test('nothing moves between members who read nothing in common', () => {
  const balance = balanceOf({ a: ['x'], b: ['y'] })
  balance.deal(partitionsOf('x', 5))
  balance.even()
  expect([balance.partitionsOf('a').length, balance.partitionsOf('b').length]).toEqual([5, 0])
  expect([balance.mayRead('a', 'x'), balance.mayRead('a', 'y'), balance.mayRead('c', 'x')]).toEqual(
    [true, false, false],
  )
})
