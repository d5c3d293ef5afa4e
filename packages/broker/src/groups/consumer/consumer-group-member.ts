import type { MemberProtocol } from '../group-protocol.ts'
import { type AssignedPartitions, noPartitions } from './assigned-partitions.ts'

/**
 * How far a member has come on its way to its target: it has what it is to have, is to give up
 * partitions first, or waits for what others still have. `unknown` is what a newer Kafka noted.
 */
export type ReconciliationState = 'stable' | 'unrevoked' | 'unreleased' | 'unknown'

/** Of a member that speaks the classic protocol: Kafka's ClassicMemberMetadata. */
export interface ClassicMembership {
  readonly sessionTimeoutMs: number
  /** In order of preference. */
  readonly protocols: readonly MemberProtocol[]
}

/** A member of a group of the consumer protocol (KIP-848), as it is noted. Never changed. */
export interface ConsumerGroupMember {
  readonly memberId: string
  /** The epoch that it has been told of; -2 for a static member that has left and may be back. */
  readonly memberEpoch: number
  /** The one before: a member whose answer got lost comes with that. */
  readonly previousMemberEpoch: number
  readonly state: ReconciliationState
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** In order, each once. */
  readonly topicNames: readonly string[]
  /** A regular expression in the syntax of RE2; empty for none. */
  readonly topicRegex: string
  readonly serverAssignor: string | null
  /** How long it may take to give up partitions. */
  readonly rebalanceTimeoutMs: number
  /** Null for a member that speaks the consumer protocol. */
  readonly classic: ClassicMembership | null
  readonly assigned: AssignedPartitions
  /** It is to give these up, and has not said yet that it has. */
  readonly revoking: AssignedPartitions
}

/** Somebody of whom nothing is known yet. */
export function newConsumerGroupMember(memberId: string): ConsumerGroupMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: 'stable',
    ...{ instanceId: null, rackId: null, clientId: '', clientHost: '' },
    ...{ topicNames: [], topicRegex: '', serverAssignor: null, rebalanceTimeoutMs: -1 },
    ...{ classic: null, assigned: noPartitions, revoking: noPartitions },
  }
}

/** The epoch of a static member that has left and may be back. */
export const staticLeaveEpoch = -2

export function isReconciledTo(member: ConsumerGroupMember, epoch: number): boolean {
  return member.state === 'stable' && member.memberEpoch === epoch
}

/** Whether both say the same of themselves, whatever they have been given. */
export function saysTheSame(one: ConsumerGroupMember, other: ConsumerGroupMember): boolean {
  return (
    one.instanceId === other.instanceId &&
    one.rackId === other.rackId &&
    one.clientId === other.clientId &&
    one.clientHost === other.clientHost &&
    one.topicRegex === other.topicRegex &&
    one.serverAssignor === other.serverAssignor &&
    one.rebalanceTimeoutMs === other.rebalanceTimeoutMs &&
    sameNames(one.topicNames, other.topicNames) &&
    sameClassic(one.classic, other.classic)
  )
}

function sameClassic(one: ClassicMembership | null, other: ClassicMembership | null): boolean {
  if (one === null || other === null) return one === other
  return (
    one.sessionTimeoutMs === other.sessionTimeoutMs &&
    one.protocols.length === other.protocols.length &&
    one.protocols.every(({ name, metadata }, index) => {
      const like = other.protocols[index]
      return like?.name === name && like.metadata.equals(metadata)
    })
  )
}

export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}
