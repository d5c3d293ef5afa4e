import type { TopicPartition } from '../../base/topic-partition.ts'
import { IllegalGenerationError, UnknownMemberError } from '../group-errors.ts'
import type { MemberIdentity } from '../group-protocol.ts'
import type { GroupTopics } from '../group-topics.ts'
import { StaleMemberEpochError } from './consumer-group-errors.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'

/** What is to be committed, and by whom. */
export interface ConsumerGroupCommit {
  readonly group: string
  readonly identity: MemberIdentity
  readonly places: readonly TopicPartition[]
  /** Whether a transaction brings it. */
  readonly isTransactional: boolean
}

/**
 * Checks whether offsets may be committed to a group of the consumer protocol: by a member in its
 * epoch, or in an older one for partitions that it has had since then; by anybody while nobody is
 * a member. Throws UnknownMemberError, StaleMemberEpochError; IllegalGenerationError in its place
 * for transactions and members of the classic protocol, whose clients do not know the former.
 */
export function checkConsumerGroupCommit(
  state: ConsumerGroupState,
  topics: GroupTopics,
  { group, identity, places, isTransactional }: ConsumerGroupCommit,
): void {
  const { memberId, groupInstanceId, generation } = identity
  if (generation < 0 && state.members.size === 0) return
  const isNamed = generation !== -1 || memberId !== '' || groupInstanceId !== null
  if (isTransactional && !isNamed) return
  const member = state.members.get(memberId)
  if (member === undefined) throw new UnknownMemberError(group, memberId)
  const { memberEpoch, assigned, revoking } = member
  if (generation === memberEpoch) return
  const isHadSinceThen = ({ topic, partition }: TopicPartition): boolean => {
    const topicId = topics.find(topic)?.topicId ?? ''
    const epoch = assigned.get(topicId)?.get(partition) ?? revoking.get(topicId)?.get(partition)
    return epoch !== undefined && generation >= epoch
  }
  if (generation < memberEpoch && places.every(isHadSinceThen)) return
  if (isTransactional || member.classic !== null) {
    throw new IllegalGenerationError(group, generation, memberEpoch)
  }
  throw new StaleMemberEpochError(group, generation, memberEpoch)
}

/** Checks whether a member that says who it is may be told offsets. Throws as for commits. */
export function checkConsumerGroupFetch(
  state: ConsumerGroupState,
  group: string,
  memberId: string | null,
  memberEpoch: number,
): void {
  if (memberId === null && memberEpoch < 0) return
  const member = state.members.get(memberId ?? '')
  if (member === undefined) throw new UnknownMemberError(group, memberId ?? '')
  if (member.memberEpoch === memberEpoch) return
  if (member.classic !== null) {
    throw new IllegalGenerationError(group, memberEpoch, member.memberEpoch)
  }
  throw new StaleMemberEpochError(group, memberEpoch, member.memberEpoch)
}
