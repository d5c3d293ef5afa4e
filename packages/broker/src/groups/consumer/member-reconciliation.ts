import {
  type AssignedPartitions,
  noPartitions,
  ownsAny,
  type TargetPartitions,
  type TopicIdPartitions,
} from './assigned-partitions.ts'
import { FencedMemberEpochError } from './consumer-group-errors.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

/** What a member is brought nearer to, and what has to be known for it. */
export interface Reconciliation {
  readonly group: string
  readonly targetEpoch: number
  readonly target: TargetPartitions
  /** Whether the member reads other topics since this request. */
  readonly hasSubscriptionChanged: boolean
  /** What it reads. Partitions of other topics are taken from it whatever its target says. */
  readonly topicIds: ReadonlySet<string>
  /** Whether anybody has a partition, or has not given it up yet. */
  isOwned(topicId: string, partition: number): boolean
  /** What the member says that it has; null where it does not say. */
  readonly owned: readonly TopicIdPartitions[] | null
}

/**
 * The next step of a member to its target, by Kafka's rules (KIP-848): partitions that are not its
 * own any more it gives up before it comes into the new epoch; then it is given what is free, and
 * waits for what is not. The same member where there is nothing to be done.
 */
export function reconciled(member: ConsumerGroupMember, step: Reconciliation): ConsumerGroupMember {
  const { targetEpoch, hasSubscriptionChanged, owned } = step
  switch (member.state) {
    case 'stable':
      if (member.memberEpoch !== targetEpoch) return next(member, member.memberEpoch, step)
      return hasSubscriptionChanged ? withoutUnread(member, step) : member
    case 'unrevoked':
      if (owned === null || ownsAny(owned, member.revoking)) {
        return hasSubscriptionChanged ? withoutUnread(member, step) : member
      }
      return next(member, member.memberEpoch, step)
    case 'unreleased':
      return next(member, member.memberEpoch, step)
    case 'unknown':
      if (owned === null || owned.length > 0) {
        throw new FencedMemberEpochError(step.group, member.memberId, member.memberEpoch)
      }
      return next(member, targetEpoch, step)
  }
}

/** Takes partitions of topics that it does not read from a member, and leaves all else. */
function withoutUnread(member: ConsumerGroupMember, step: Reconciliation): ConsumerGroupMember {
  const unread = [...member.assigned].filter(([topicId]) => !step.topicIds.has(topicId))
  if (unread.length === 0) return member
  const assigned = new Map(member.assigned)
  const revoking = new Map(member.revoking)
  for (const [topicId, partitions] of unread) {
    assigned.delete(topicId)
    revoking.set(topicId, new Map([...(revoking.get(topicId) ?? []), ...partitions]))
  }
  const previousMemberEpoch = member.memberEpoch
  if (!isGivenUp(step, revoking)) {
    return { ...member, state: 'unrevoked', previousMemberEpoch, assigned, revoking }
  }
  return { ...member, previousMemberEpoch, assigned }
}

function next(
  member: ConsumerGroupMember,
  memberEpoch: number,
  step: Reconciliation,
): ConsumerGroupMember {
  const { kept, revoking, free, isWaiting } = compare(member, step)
  const previousMemberEpoch = member.memberEpoch
  if (revoking.size > 0 && !isGivenUp(step, revoking)) {
    const state = 'unrevoked'
    return { ...member, state, memberEpoch, previousMemberEpoch, assigned: kept, revoking }
  }
  for (const [topicId, partition] of free) {
    const partitions = kept.get(topicId) ?? new Map<number, number>()
    kept.set(topicId, partitions)
    partitions.set(partition, step.targetEpoch)
  }
  return {
    ...member,
    state: isWaiting ? 'unreleased' : 'stable',
    memberEpoch: step.targetEpoch,
    previousMemberEpoch,
    assigned: kept,
    revoking: noPartitions,
  }
}

interface Comparison {
  readonly kept: Map<string, Map<number, number>>
  readonly revoking: Map<string, Map<number, number>>
  /** What the member is to have, and nobody has. */
  readonly free: [topicId: string, partition: number][]
  /** Whether it is to have partitions that others have. */
  readonly isWaiting: boolean
}

function compare(member: ConsumerGroupMember, step: Reconciliation): Comparison {
  const kept = new Map<string, Map<number, number>>()
  const revoking = new Map<string, Map<number, number>>()
  const free: [string, number][] = []
  let isWaiting = false
  const targetOf = (topicId: string): ReadonlySet<number> =>
    (step.topicIds.has(topicId) ? step.target.get(topicId) : undefined) ?? new Set()
  for (const [topicId, partitions] of member.assigned) {
    const target = targetOf(topicId)
    for (const [partition, epoch] of partitions) {
      const into = target.has(partition) ? kept : revoking
      const of = into.get(topicId) ?? new Map<number, number>()
      into.set(topicId, of)
      of.set(partition, epoch)
    }
  }
  for (const topicId of step.target.keys()) {
    for (const partition of targetOf(topicId)) {
      if (member.assigned.get(topicId)?.has(partition) === true) continue
      // What it is giving up itself, it has given up by the time it gets here.
      const isOwn = member.revoking.get(topicId)?.has(partition) === true
      if (!isOwn && step.isOwned(topicId, partition)) isWaiting = true
      else free.push([topicId, partition])
    }
  }
  return { kept, revoking, free, isWaiting }
}

function isGivenUp({ owned }: Reconciliation, revoking: AssignedPartitions): boolean {
  return owned !== null && !ownsAny(owned, revoking)
}
