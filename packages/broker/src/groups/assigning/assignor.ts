import type { TopicPartition } from '../../base/topic-partition.ts'

/** A member as an assignor sees it. */
export interface AssignableMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it has now, and in which generation it got it; -1 where it is not known. */
  readonly ownedPartitions: readonly TopicPartition[]
  readonly generationId: number
}

/** As far as it decides who comes first. */
export type NamedMember = Pick<AssignableMember, 'memberId' | 'groupInstanceId'>

/** How many partitions each topic has; a topic that is not there has none. */
export type PartitionCounts = ReadonlyMap<string, number>

/** By member id; every member is in it. */
export type GroupAssignment = ReadonlyMap<string, readonly TopicPartition[]>

/** Decides which member of a group reads which partitions. */
export interface Assignor {
  /** The protocol's name on the wire: members of a group must have one in common. */
  readonly name: string
  /**
   * `eager`: members give up everything before they join. `cooperative`: they keep what they have,
   * give up what they are told to, and join again.
   */
  readonly rebalanceProtocol: 'eager' | 'cooperative'
  assign(counts: PartitionCounts, members: readonly AssignableMember[]): GroupAssignment
}

/** Kafka's order: static members first, by instance id, then the others by member id. */
export function byKafkaOrder(left: NamedMember, right: NamedMember): number {
  if (left.groupInstanceId !== null && right.groupInstanceId !== null) {
    return compare(left.groupInstanceId, right.groupInstanceId)
  }
  if (left.groupInstanceId !== null) return -1
  if (right.groupInstanceId !== null) return 1
  return compare(left.memberId, right.memberId)
}

/** The topics that any member subscribes to, in order. */
export function subscribedTopics(members: readonly AssignableMember[]): string[] {
  return [...new Set(members.flatMap((member) => member.topics))].sort(compare)
}

/** UTF-16 units, as Java compares strings. */
function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
