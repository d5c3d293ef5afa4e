import type { RecordInput } from '@varve/record'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { MemberIdentity } from '../groups/group-protocol.ts'
import type { IdentitySource, ProducerIdentity } from '../producing/producer-identity.ts'

/** A partition that takes part in a transaction. */
export interface Enlisted {
  /** Resolves when its first record may be appended. */
  readonly joined: Promise<void>
  /** Resolves when everything in it is durable; before the transaction is committed. */
  makeDurable(): Promise<void>
}

/** Offsets of a group that are to be committed with a transaction. */
export interface TransactionOffsets {
  readonly transactionalId: string
  readonly identity: ProducerIdentity
  readonly group: string
  /** Whose they are; null where nobody's are checked. */
  readonly member: MemberIdentity | null
  readonly offsets: readonly CommittedOffset[]
  /** Called when the transaction has something to be decided because of them. */
  began(): void
  /** Sends records to a partition, within the transaction. */
  send(topic: string, records: readonly RecordInput[], partition: number): Promise<void>
}

/** Where transactions are decided: a data directory, or a cluster. */
export interface TransactionHome {
  /** Identities of a transactional id: taking one aborts what an earlier one has left open. */
  identitiesOf(transactionalId: string, timeoutMs: number): IdentitySource
  enlist(id: string, identity: ProducerIdentity, partition: TopicPartition): Enlisted
  sendOffsets(offsets: TransactionOffsets): Promise<void>
  /** Decides, and tells all partitions. Rejects with TransactionPendingError, among others. */
  end(id: string, identity: ProducerIdentity, outcome: 'commit' | 'abort'): Promise<void>
}
