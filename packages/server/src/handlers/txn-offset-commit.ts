import type { CommittedOffset } from '@varve/broker'
import { commitOffsetsInTransaction } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { txnOffsetCommit } from '../protocol/apis/txn-offset-commit.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { coordinatorCode, notInTransactionCode } from '../transactions/transaction-codes.ts'

type Request = RequestOf<typeof txnOffsetCommit>
type Answer = ResponseOf<typeof txnOffsetCommit>
type Wanted = Request['topics'][number]['partitions'][number]

/** Kafka's offset.metadata.max.bytes, which it compares with characters. */
const metadataLengthMax = 4096
/** The first version whose clients know TRANSACTION_ABORTABLE. */
const abortableSince = 4

/** TxnOffsetCommit: a group's offsets, which count when the transaction is committed. */
export function txnOffsetCommitHandler(server: ServerContext): ApiHandler {
  return handlerOf(txnOffsetCommit, { versions: '0-4' }, async (call, request) => {
    const refused = refusal(call, request)
    if (refused !== errorCodes.NONE) return answered(request, () => refused)
    const codes = new Map<Wanted, number>()
    const offsets: CommittedOffset[] = []
    for (const { name, partitions } of request.topics) {
      for (const wanted of partitions) {
        const pause = call.turns.next()
        if (pause !== undefined) await pause
        const code = checkOffset(server, call, name, wanted)
        codes.set(wanted, code)
        if (code === errorCodes.NONE) offsets.push(offsetOf(name, wanted))
      }
    }
    if (offsets.length > 0) {
      const code = await commit(server, call, request, offsets)
      for (const [wanted, own] of codes) if (own === errorCodes.NONE) codes.set(wanted, code)
    }
    return answered(request, (wanted) => codes.get(wanted) ?? errorCodes.NONE)
  })
}

function refusal(call: Call, { transactionalId, groupId }: Request): number {
  if (!call.may('write', 'transactionalId', transactionalId)) {
    return errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  if (!call.may('read', 'group', groupId)) return errorCodes.GROUP_AUTHORIZATION_FAILED
  if (groupId === '') return errorCodes.INVALID_GROUP_ID
  return transactionalId === '' ? errorCodes.INVALID_REQUEST : errorCodes.NONE
}

function checkOffset(
  { parts }: ServerContext,
  call: Call,
  topic: string,
  { partitionIndex, committedOffset, committedMetadata }: Wanted,
): number {
  if (!call.may('read', 'topic', topic)) return errorCodes.TOPIC_AUTHORIZATION_FAILED
  if (parts.topics.find(topic)?.partitions[partitionIndex] === undefined) {
    return errorCodes.UNKNOWN_TOPIC_OR_PARTITION
  }
  if ((committedMetadata ?? '').length > metadataLengthMax) {
    return errorCodes.OFFSET_METADATA_TOO_LARGE
  }
  return committedOffset < 0 ? errorCodes.INVALID_REQUEST : errorCodes.NONE
}

function offsetOf(topic: string, wanted: Wanted): CommittedOffset {
  return {
    ...{ topic, partition: wanted.partitionIndex, offset: wanted.committedOffset },
    leaderEpoch: wanted.committedLeaderEpoch,
    metadata: wanted.committedMetadata ?? '',
  }
}

async function commit(
  { parts, logger }: ServerContext,
  call: Call,
  { transactionalId, producerId, producerEpoch, groupId, ...request }: Request,
  offsets: readonly CommittedOffset[],
): Promise<number> {
  const { memberId, groupInstanceId, generationId: generation } = request
  try {
    const groups = await parts.groups.coordinator()
    await commitOffsetsInTransaction(parts.coordinator, groups, {
      ...{ transactionalId, identity: { producerId, producerEpoch }, group: groupId, offsets },
      member: { memberId, groupInstanceId, generation },
    })
    return errorCodes.NONE
  } catch (error) {
    const code = notInTransactionCode(error, call.version >= abortableSince)
    return code ?? coordinatorCode(error, false, logger)
  }
}

function answered({ topics }: Request, codeOf: (wanted: Wanted) => number): Answer {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => ({
        partitionIndex: wanted.partitionIndex,
        errorCode: codeOf(wanted),
      })),
    })),
  }
}
