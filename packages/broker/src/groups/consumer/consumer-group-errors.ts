import { GroupError } from '../group-errors.ts'

/** The member's epoch is not the group's for it (Kafka: FENCED_MEMBER_EPOCH). */
export class FencedMemberEpochError extends GroupError {
  readonly code = 'VARVE_FENCED_MEMBER_EPOCH'
  readonly kafkaErrorCode = 110
  readonly memberId: string
  /** The one that the group has of it. */
  readonly memberEpoch: number

  constructor(group: string, memberId: string, memberEpoch: number) {
    super(
      group,
      `member '${memberId}' is in epoch ${memberEpoch}`,
      'give up all partitions and join again with epoch 0',
    )
    this.memberId = memberId
    this.memberEpoch = memberEpoch
  }
}

/** Offsets come of an epoch that is over for the member (Kafka: STALE_MEMBER_EPOCH). */
export class StaleMemberEpochError extends GroupError {
  readonly code = 'VARVE_STALE_MEMBER_EPOCH'
  readonly kafkaErrorCode = 113
  readonly memberEpoch: number

  constructor(group: string, received: number, memberEpoch: number) {
    const hint = 'try again with the epoch of the next heartbeat’s answer'
    super(group, `epoch ${received} is not the member’s, which is ${memberEpoch}`, hint)
    this.memberEpoch = memberEpoch
  }
}

/** A member that has not left yet has this instance id (Kafka: UNRELEASED_INSTANCE_ID). */
export class UnreleasedInstanceError extends GroupError {
  readonly code = 'VARVE_UNRELEASED_INSTANCE'
  readonly kafkaErrorCode = 111
  readonly groupInstanceId: string

  constructor(group: string, groupInstanceId: string) {
    const hint = 'wait for the other one to leave, or for its session to end'
    super(group, `another member is '${groupInstanceId}'`, hint)
    this.groupInstanceId = groupInstanceId
  }
}

/** A subscription is no regular expression of RE2's (Kafka: INVALID_REGULAR_EXPRESSION). */
export class InvalidExpressionError extends GroupError {
  readonly code = 'VARVE_INVALID_REGULAR_EXPRESSION'
  readonly kafkaErrorCode = 128

  constructor(group: string, expression: string, reason: string) {
    const shown = expression.length > 80 ? `${expression.slice(0, 80)}…` : expression
    super(group, `SubscribedTopicRegex \`${shown}\` is not a valid regular expression: ${reason}.`)
  }
}

/** The group has as many members as it may (Kafka: GROUP_MAX_SIZE_REACHED). */
export class GroupFullError extends GroupError {
  readonly code = 'VARVE_GROUP_FULL'
  readonly kafkaErrorCode = 81
  readonly membersMax: number

  constructor(group: string, membersMax: number) {
    super(group, `it has its maximum of ${membersMax} members`)
    this.membersMax = membersMax
  }
}
