import type { CommittedOffset } from '@varve/broker'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { coordinatorOf, groupErrorCode } from '../groups/group-calls.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { offsetCommit } from '../protocol/apis/offset-commit.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof offsetCommit>
type Response = ResponseOf<typeof offsetCommit>
type AskedTopic = Request['topics'][number]
type AskedPartition = AskedTopic['partitions'][number]

/** Kafka's offset.metadata.max.bytes, which it compares with characters. */
const metadataLengthMax = 4096

/** OffsetCommit: answered when what is committed is durable. */
export function offsetCommitHandler(server: ServerContext): ApiHandler {
  return handlerOf(offsetCommit, { versions: '2-10', overlaps: true }, async (call, request) => {
    if (!call.may('read', 'group', request.groupId)) {
      return answer(request, () => errorCodes.GROUP_AUTHORIZATION_FAILED)
    }
    const refusals = new Map<AskedPartition, number>()
    const offsets: CommittedOffset[] = []
    for (const asked of request.topics) {
      const { name, refusal } = topicOf(server, call, asked)
      for (const partition of asked.partitions) {
        const pause = call.turns.next()
        if (pause !== undefined) await pause
        const refused = refusal ?? partitionRefusal(server, name, partition)
        if (refused !== errorCodes.NONE) refusals.set(partition, refused)
        else offsets.push(offsetOf(name, partition))
      }
    }
    const code =
      offsets.length === 0 ? errorCodes.NONE : await commit(server, call, request, offsets)
    return answer(request, (partition) => refusals.get(partition) ?? code)
  })
}

/** A topic's name; from version 10 on by its id. Null where its partitions have to be looked at. */
function topicOf(
  server: ServerContext,
  call: Call,
  asked: AskedTopic,
): { readonly name: string; readonly refusal: number | null } {
  const isById = call.version >= 10
  const name = isById ? (server.parts.topics.findById(asked.topicId)?.name ?? null) : asked.name
  if (name === null) return { name: '', refusal: errorCodes.UNKNOWN_TOPIC_ID }
  const mayRead = call.may('read', 'topic', name)
  return { name, refusal: mayRead ? null : errorCodes.TOPIC_AUTHORIZATION_FAILED }
}

function partitionRefusal(server: ServerContext, name: string, asked: AskedPartition): number {
  const { partitionIndex, committedOffset, committedMetadata } = asked
  const partition = server.parts.topics.find(name)?.partitions[partitionIndex]
  if (partition === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION
  if ((committedMetadata ?? '').length > metadataLengthMax) {
    return errorCodes.OFFSET_METADATA_TOO_LARGE
  }
  return committedOffset < 0 ? errorCodes.OFFSET_OUT_OF_RANGE : errorCodes.NONE
}

function offsetOf(topic: string, asked: AskedPartition): CommittedOffset {
  const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = asked
  return {
    ...{ topic, partition: partitionIndex, offset: committedOffset },
    leaderEpoch: Math.max(-1, committedLeaderEpoch),
    metadata: committedMetadata ?? '',
  }
}

async function commit(
  server: ServerContext,
  call: Call,
  request: Request,
  offsets: readonly CommittedOffset[],
): Promise<number> {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
  try {
    const loaded = coordinatorOf(server)
    const coordinator = loaded instanceof Promise ? await loaded : loaded
    if (generation >= 0 && !coordinator.has(groupId)) {
      return call.version >= 9 ? errorCodes.GROUP_ID_NOT_FOUND : errorCodes.ILLEGAL_GENERATION
    }
    // Whoever has an epoch has to know that it may be over.
    const member = coordinator.consumers.find(groupId)?.members.get(memberId)
    if (call.version < 9 && member?.classic === null) return errorCodes.UNSUPPORTED_VERSION
    const retentionMs = request.retentionTimeMs < 0 ? undefined : request.retentionTimeMs
    const identity = { memberId, groupInstanceId, generation }
    await coordinator.commit(groupId, identity, offsets, retentionMs)
    return errorCodes.NONE
  } catch (error) {
    return groupErrorCode(server, groupId, error)
  }
}

function answer(request: Request, codeOf: (partition: AskedPartition) => number): Response {
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      ...{ name, topicId },
      partitions: partitions.map((partition) => {
        return { partitionIndex: partition.partitionIndex, errorCode: codeOf(partition) }
      }),
    })),
  }
}
