import type { Clock } from '@varve/log'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { StoredOffset } from './group-offsets.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest } from './group-protocol.ts'

/** What a member asks of its group: here, or on a cluster. */
export interface MemberCoordinator {
  readonly clock: Clock
  join(group: string, request: JoinRequest): Promise<JoinResult>
  sync(group: string, request: SyncRequest): Promise<Buffer>
  /** Takes a member out; it throws, or rejects with, UnknownMemberError when it is none. */
  leave(group: string, memberId: string): void | Promise<void>
  /** A static member stops, and keeps its part until its session is over. */
  detach(group: string, memberId: string): void | Promise<void>
  /** The member has ended: nothing that waits for other members is waited for any longer. */
  stop?(group: string): Promise<void>
  commit(
    group: string,
    identity: MemberIdentity,
    offsets: readonly CommittedOffset[],
  ): Promise<void>
  /** Throws, or rejects with, what `commit` would reject with, as far as that can be told. */
  checkCommit(group: string, identity: MemberIdentity): void | Promise<void>
  fetch(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyArray<StoredOffset | CommittedOffset | null>>
  /** How many partitions each of these topics has; 0 where it is not there. */
  partitionCounts(topics: Iterable<string>): Promise<ReadonlyMap<string, number>>
  /** Goes up whenever partitions are made. */
  readonly age: number
  /** Whether a partition was made after that age: what is in it then was not there before. */
  wasMadeAfter(age: number, place: TopicPartition): boolean
}
