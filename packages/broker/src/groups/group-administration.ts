import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { ConsumerGroupPhase } from './consumer/consumer-group-state.ts'
import type { GroupState } from './group-protocol.ts'

/**
 * By which protocol members speak: the one in which they divide partitions themselves, or that of
 * KIP-848, in which the server does. Kafka's GroupType.
 */
export type GroupType = 'classic' | 'consumer'

/** A group as `describe` shows it. */
export interface GroupDescription {
  readonly group: string
  readonly type: GroupType
  readonly state: GroupState | ConsumerGroupPhase
  /** `consumer`; empty where only offsets were ever committed in its name. */
  readonly protocolType: string
  /** Of a group of type `consumer` its epoch. -1 where a cluster does not say. */
  readonly generation: number
  /** The assignor that is used; null in an empty group. */
  readonly protocol: string | null
  readonly members: readonly MemberDescription[]
  readonly offsets: readonly CommittedOffset[]
}

export interface MemberDescription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
}

/** What operators do with consumer groups. Made by `varve.groups()`. */
export interface GroupAdministration {
  /** Names of all groups, in order. */
  list(): Promise<readonly string[]>
  /** Rejects with GroupNotFoundError. */
  describe(group: string): Promise<GroupDescription>
  /** Forgets a group and its offsets. Rejects with GroupNotFoundError, GroupNotEmptyError. */
  delete(group: string): Promise<void>
  /**
   * Sets committed offsets, whoever committed them. Rejects with GroupNotEmptyError while the group
   * has members, who would commit over it.
   */
  resetOffsets(group: string, offsets: readonly CommittedOffset[]): Promise<void>
}
