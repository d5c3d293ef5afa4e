import { VarveError } from '@varve/record'

/** A key or value of `__consumer_offsets`, or a subscription, is not in Kafka's schema. */
export class CorruptGroupRecordError extends VarveError {
  readonly code = 'VARVE_CORRUPT_GROUP_RECORD'
  /** What was decoded: `offset commit value`. */
  readonly subject: string
  readonly reason: string

  constructor(subject: string, reason: string) {
    super(`corrupt ${subject}: ${reason}`)
    this.subject = subject
    this.reason = reason
  }
}

/** What a group answers instead of doing what a member asked. */
export abstract class GroupError extends VarveError {
  abstract readonly kafkaErrorCode: number
  readonly group: string

  constructor(group: string, message: string, hint?: string) {
    super(`group '${group}': ${message}`, hint === undefined ? {} : { hint })
    this.group = group
  }
}

/** The member has left, was put out, or never was in the group (Kafka: UNKNOWN_MEMBER_ID). */
export class UnknownMemberError extends GroupError {
  readonly code = 'VARVE_UNKNOWN_MEMBER'
  readonly kafkaErrorCode = 25
  readonly memberId: string

  constructor(group: string, memberId: string) {
    const who = memberId === '' ? 'somebody who is not a member' : `member '${memberId}'`
    super(group, `${who} may not do this`, 'join again; what was read since is read once more')
    this.memberId = memberId
  }
}

/** Who joins is told its id, and has to come again with it (Kafka: MEMBER_ID_REQUIRED, KIP-394). */
export class MemberIdRequiredError extends GroupError {
  readonly code = 'VARVE_MEMBER_ID_REQUIRED'
  readonly kafkaErrorCode = 79
  override readonly retriable = true
  /** The id that it has been given. */
  readonly memberId: string

  constructor(group: string, memberId: string) {
    super(group, `who joins is '${memberId}' from now on`, 'join again with this id')
    this.memberId = memberId
  }
}

/** The group has been divided anew since the member was last told (Kafka: ILLEGAL_GENERATION). */
export class IllegalGenerationError extends GroupError {
  readonly code = 'VARVE_ILLEGAL_GENERATION'
  readonly kafkaErrorCode = 22
  readonly generation: number
  readonly currentGeneration: number

  constructor(group: string, generation: number, currentGeneration: number) {
    super(
      group,
      `generation ${generation} is over, this is ${currentGeneration}: ` +
        'the partitions may be with somebody else',
    )
    this.generation = generation
    this.currentGeneration = currentGeneration
  }
}

/** The partitions are being divided anew (Kafka: REBALANCE_IN_PROGRESS). */
export class RebalanceInProgressError extends GroupError {
  readonly code = 'VARVE_REBALANCE_IN_PROGRESS'
  readonly kafkaErrorCode = 27
  override readonly retriable = true

  constructor(group: string) {
    super(group, 'a rebalance is in progress', 'join again, or try again when it is over')
  }
}

/** Another member has taken this one's instance id (Kafka: FENCED_INSTANCE_ID). */
export class FencedInstanceError extends GroupError {
  readonly code = 'VARVE_FENCED_INSTANCE'
  readonly kafkaErrorCode = 82
  readonly groupInstanceId: string

  constructor(group: string, groupInstanceId: string) {
    super(
      group,
      `a newer member is '${groupInstanceId}'`,
      'close this one; each member that runs at the same time needs an instance id of its own',
    )
    this.groupInstanceId = groupInstanceId
  }
}

/** No assignor in common with the members (Kafka: INCONSISTENT_GROUP_PROTOCOL). */
export class InconsistentGroupProtocolError extends GroupError {
  readonly code = 'VARVE_INCONSISTENT_GROUP_PROTOCOL'
  readonly kafkaErrorCode = 23

  constructor(group: string, offered: readonly string[], accepted: readonly string[]) {
    super(
      group,
      `the members have ${accepted.join(', ')}, the new one ${offered.join(', ') || 'nothing'}`,
      'members of a group need an assignor that all of them have',
    )
  }
}

/** What is only done while nobody is in the group (Kafka: NON_EMPTY_GROUP). */
export class GroupNotEmptyError extends GroupError {
  readonly code = 'VARVE_GROUP_NOT_EMPTY'
  readonly kafkaErrorCode = 68
  readonly members: number

  constructor(group: string, members: number) {
    super(group, `it has ${members} members`, 'stop its members first')
    this.members = members
  }
}

/**
 * What the members of all groups say of themselves takes as much memory as it may (Kafka:
 * GROUP_MAX_SIZE_REACHED).
 */
export class GroupMemoryFullError extends GroupError {
  readonly code = 'VARVE_GROUP_MEMORY_FULL'
  readonly kafkaErrorCode = 81
  /** For all groups together. */
  readonly limitBytes: number

  constructor(group: string, limitBytes: number) {
    const hint = 'members that are not there any more leave when their sessions end'
    super(group, `the members of all groups take ${limitBytes} bytes, or nearly so`, hint)
    this.limitBytes = limitBytes
  }
}

/** There is no such group (Kafka: GROUP_ID_NOT_FOUND). */
export class GroupNotFoundError extends GroupError {
  readonly code = 'VARVE_GROUP_NOT_FOUND'
  readonly kafkaErrorCode = 69

  constructor(group: string) {
    super(group, 'there is none of this name')
  }
}

/**
 * A group of the classic protocol that has members does not become one of the consumer protocol
 * (Kafka: GROUP_ID_NOT_FOUND).
 */
export class GroupNotUpgradableError extends GroupError {
  readonly code = 'VARVE_GROUP_NOT_UPGRADABLE'
  readonly kafkaErrorCode = 69
  readonly reason: string

  constructor(group: string, reason: string) {
    super(
      group,
      `it cannot be upgraded from the classic to the consumer protocol because ${reason}`,
      'stop its members first, or let the new one speak the classic protocol',
    )
    this.reason = reason
  }
}

/** Whether partitions are with somebody else by now: joining again, as somebody new, is right. */
export function isMembershipOver(error: unknown): boolean {
  return error instanceof UnknownMemberError || error instanceof IllegalGenerationError
}
