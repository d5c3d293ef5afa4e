import type { TopicPartition } from '../../base/topic-partition.ts'
import {
  type AssignableMember,
  type Assignor,
  type GroupAssignment,
  subscribedTopics,
} from './assignor.ts'
import { PartitionBalance } from './partition-balance.ts'

/**
 * Members keep what they have as far as the balance allows: the loads of two members differ by one
 * at most wherever subscriptions permit. A partition that moves is given to nobody until its owner
 * has given it up and joined again: in no generation is it with two members. The protocol of
 * Kafka's CooperativeStickyAssignor; which of several equally good assignments comes out may
 * differ.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  rebalanceProtocol: 'cooperative',
  assign(counts, members): GroupAssignment {
    const owners = findOwners(members)
    const balance = new PartitionBalance(members)
    const free: TopicPartition[] = []
    for (const topic of subscribedTopics(members)) {
      for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
        const owner = owners.get(keyOf({ topic, partition }))
        const keeper = owner !== undefined && balance.mayRead(owner.memberId, topic) ? owner : null
        if (keeper === null) free.push({ topic, partition })
        else balance.keep(keeper.memberId, { topic, partition })
      }
    }
    balance.deal(free)
    balance.even()
    return withoutMoving(balance, members, owners)
  },
}

interface Owner {
  /** Nobody where two claim it in the same generation. */
  readonly memberId: string
  readonly generationId: number
}

/** Who has each partition, by the latest generation in which anybody says so. */
function findOwners(members: readonly AssignableMember[]): Map<string, Owner> {
  const owners = new Map<string, Owner>()
  for (const { memberId, generationId, ownedPartitions } of members) {
    for (const partition of ownedPartitions) {
      const key = keyOf(partition)
      const other = owners.get(key)
      if (other === undefined || other.generationId < generationId) {
        owners.set(key, { memberId, generationId })
      } else if (other.generationId === generationId) {
        owners.set(key, { memberId: '', generationId })
      }
    }
  }
  return owners
}

function withoutMoving(
  balance: PartitionBalance,
  members: readonly AssignableMember[],
  owners: ReadonlyMap<string, Owner>,
): GroupAssignment {
  const assignment = new Map<string, readonly TopicPartition[]>()
  for (const { memberId } of members) {
    const given = balance.partitionsOf(memberId).filter((partition) => {
      const owner = owners.get(keyOf(partition))
      return owner === undefined || owner.memberId === memberId
    })
    assignment.set(memberId, given)
  }
  return assignment
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`
}
