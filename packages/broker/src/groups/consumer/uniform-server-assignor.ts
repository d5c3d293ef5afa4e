import { PartitionBalance } from '../assigning/partition-balance.ts'
import type { AssigningGroup } from './server-assignor.ts'

/**
 * Kafka's server-side `uniform`: each member gets as many partitions as the others, as far as they
 * read the same topics, and keeps what it was to have before as far as that can be.
 */
export function assignUniformly(group: AssigningGroup): Map<string, Map<string, Set<number>>> {
  const { members } = group
  const [first] = members
  if (first === undefined) return new Map()
  const areAlike = members.every(({ topicIds }) => isSame(topicIds, first.topicIds))
  return areAlike ? assignAlike(group, first.topicIds) : assignUnlike(group)
}

/** All read the same: quotas differ by one at most. */
function assignAlike(
  { members, partitionCount }: AssigningGroup,
  topicIds: ReadonlySet<string>,
): Map<string, Map<string, Set<number>>> {
  const unassigned = new Set<string>()
  for (const topicId of topicIds) {
    for (let each = 0; each < partitionCount(topicId); each++) unassigned.add(`${each} ${topicId}`)
  }
  const least = Math.floor(unassigned.size / members.length)
  let extras = unassigned.size % members.length
  // Who keeps more than the least is among those who get one more: nobody loses it for others.
  const kept = new Map<string, string[]>()
  for (const { memberId, target } of members) {
    const quota = least + (extras > 0 ? 1 : 0)
    const own: string[] = []
    for (const [topicId, partitions] of target) {
      for (const partition of partitions) {
        const key = `${partition} ${topicId}`
        if (own.length < quota && unassigned.delete(key)) own.push(key)
      }
    }
    if (own.length > least) extras -= 1
    kept.set(memberId, own)
  }
  const rest = unassigned.values()
  for (const own of kept.values()) {
    let quota = least
    if (own.length <= least && extras > 0) {
      quota += 1
      extras -= 1
    }
    for (let count = own.length; count < quota; count++) {
      const given = rest.next()
      if (given.done !== true) own.push(given.value)
    }
  }
  return new Map([...kept].map(([memberId, own]) => [memberId, targetOf(own)]))
}

function assignUnlike({
  members,
  partitionCount,
}: AssigningGroup): Map<string, Map<string, Set<number>>> {
  const balance = new PartitionBalance(
    members.map(({ memberId, topicIds }) => ({ memberId, topics: [...topicIds] })),
  )
  const unassigned = new Map<string, { topic: string; partition: number }>()
  for (const topic of new Set(members.flatMap(({ topicIds }) => [...topicIds]))) {
    for (let partition = 0; partition < partitionCount(topic); partition++) {
      unassigned.set(`${partition} ${topic}`, { topic, partition })
    }
  }
  for (const { memberId, target } of members) {
    for (const [topic, partitions] of target) {
      for (const partition of partitions) {
        const isKept =
          balance.mayRead(memberId, topic) && unassigned.delete(`${partition} ${topic}`)
        if (isKept) balance.keep(memberId, { topic, partition })
      }
    }
  }
  balance.deal([...unassigned.values()])
  balance.even()
  return new Map(
    members.map(({ memberId }) => [
      memberId,
      targetOf(balance.partitionsOf(memberId).map((each) => `${each.partition} ${each.topic}`)),
    ]),
  )
}

function targetOf(keys: readonly string[]): Map<string, Set<number>> {
  const target = new Map<string, Set<number>>()
  for (const key of keys) {
    const space = key.indexOf(' ')
    const topicId = key.slice(space + 1)
    const partitions = target.get(topicId) ?? new Set<number>()
    target.set(topicId, partitions)
    partitions.add(Number(key.slice(0, space)))
  }
  return target
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each))
}
