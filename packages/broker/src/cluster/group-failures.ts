import {
  FencedInstanceError,
  GroupNotEmptyError,
  GroupNotFoundError,
  IllegalGenerationError,
  InconsistentGroupProtocolError,
  RebalanceInProgressError,
  UnknownMemberError,
} from '../groups/group-errors.ts'
import type { MemberIdentity } from '../groups/group-protocol.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import { kafkaCodes } from './kafka-codes.ts'

const nobody: MemberIdentity = { memberId: '', groupInstanceId: null, generation: -1 }

/** What a coordinator's refusal means to a member, as a group of a data directory says it. */
export function groupErrorOf(
  error: unknown,
  group: string,
  member: MemberIdentity | null = null,
): unknown {
  if (!(error instanceof ClusterRefusedError)) return error
  const { memberId, groupInstanceId, generation } = member ?? nobody
  switch (error.kafkaErrorCode) {
    case kafkaCodes.unknownMemberId:
      return new UnknownMemberError(group, memberId)
    case kafkaCodes.illegalGeneration:
      return new IllegalGenerationError(group, generation, -1)
    case kafkaCodes.rebalanceInProgress:
      return new RebalanceInProgressError(group)
    case kafkaCodes.fencedInstanceId:
      return new FencedInstanceError(group, groupInstanceId ?? '')
    case kafkaCodes.inconsistentGroupProtocol:
      return new InconsistentGroupProtocolError(group, [], [])
    case kafkaCodes.nonEmptyGroup:
      return new GroupNotEmptyError(group, -1)
    case kafkaCodes.groupIdNotFound:
      return new GroupNotFoundError(group)
    default:
      return error
  }
}
