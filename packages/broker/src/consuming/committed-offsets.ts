import type { Offset } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { MemberIdentity } from '../groups/group-protocol.ts'

/** How far somebody has come in a partition. */
export interface CommittedOffset extends TopicPartition {
  /** The next record to be handled: one more than the last that was. */
  readonly offset: Offset
  /** Whatever whoever commits wants to remember. @defaultValue '' */
  readonly metadata?: string
  /** Of the last record that was handled; -1 unknown. @defaultValue -1 */
  readonly leaderEpoch?: number
}

/** Where a consumer's progress is kept between its lives. */
export interface CommittedOffsets {
  /** In whose name. */
  readonly group: string
  /** Whether it only knows what others have committed, and `commit` rejects. @defaultValue false */
  readonly isReadOnly?: boolean
  /** As which of its members. */
  readonly identity: MemberIdentity
  /** Of each partition, in their order, what was committed last; null where nothing was. */
  fetch(partitions: readonly TopicPartition[]): Promise<ReadonlyArray<CommittedOffset | null>>
  /**
   * Commits, all or nothing; durable when it resolves. Rejects when the partitions have gone to
   * somebody else meanwhile.
   */
  commit(offsets: readonly CommittedOffset[]): Promise<void>
  /** Rejects with what `commit` would reject with now: for offsets that a transaction commits. */
  check(offsets: readonly CommittedOffset[]): Promise<void>
}

/** Whose offsets a transaction can commit. */
export interface OffsetsOwner {
  /** Null for a consumer without a group. */
  readonly group: string | null
  /** Who it is to its group now; null without one. */
  readonly member: MemberIdentity | null
  /** Rejects when the partitions have gone to somebody else. */
  checkOffsets(offsets: readonly CommittedOffset[]): Promise<void>
}
