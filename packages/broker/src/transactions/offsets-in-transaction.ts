import { RecordBatchBuilder } from '@varve/record'
import { offsetsTopic } from '../base/topic-names.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import type { MemberIdentity } from '../groups/group-protocol.ts'
import type { ProducerIdentity } from '../producing/producer-identity.ts'
import { offsetRecords } from './offset-records.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'

/** Offsets that a producer commits with its transaction, over the wire. */
export interface OffsetsInTransaction {
  readonly transactionalId: string
  readonly identity: ProducerIdentity
  readonly group: string
  /** Who consumed; an empty id and generation -1 where the client does not say. */
  readonly member: MemberIdentity
  readonly offsets: readonly CommittedOffset[]
}

/** Where a group's offsets are: what joins a transaction that commits some. */
export function placeOfOffsets(groups: GroupCoordinator, group: string): TopicPartition {
  return { topic: offsetsTopic, partition: groups.partitionOf(group) }
}

/**
 * Appends offsets to `__consumer_offsets` within a transaction, durably: they count when it is
 * committed (Kafka's TxnOffsetCommit). The transaction is checked, the member, and the batch
 * appended in one turn. Rejects with ProducerIdMappingError, ProducerFencedError,
 * NotInTransactionError, UnknownMemberError, IllegalGenerationError, FencedInstanceError, and as
 * appending does.
 *
 * Durably, because the producer lives on when this process does not: what it was told is there
 * must be there when it commits.
 */
export async function commitOffsetsInTransaction(
  transactions: TransactionCoordinator,
  groups: GroupCoordinator,
  { transactionalId, identity, group, member, offsets }: OffsetsInTransaction,
): Promise<void> {
  const change = groups.whenChanged(group)
  if (change !== null) await change
  transactions.checkAppend(transactionalId, identity, placeOfOffsets(groups, group))
  groups.checkTransactionalCommit(group, member, offsets)
  if (offsets.length === 0) return
  // As Kafka's coordinator writes it; of a coordinator's batches sequences are not looked at.
  const builder = new RecordBatchBuilder({ ...identity, isTransactional: true, baseSequence: 0 })
  for (const record of offsetRecords(group, offsets, groups.clock.now())) builder.append(record)
  const options = { origin: 'coordinator', acks: 'flushed' } as const
  await groups.storeOf(group).appendBatch(builder.build(), options)
}
