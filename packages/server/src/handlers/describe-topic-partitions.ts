import type { Partition, Topic } from '@varve/broker/serving'
import { checkTopicName } from '@varve/broker/serving'
import { refusal } from '../administration/refusals.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { authorizedOperations } from '../base/authorized-operations.ts'
import { noTopicId } from '../base/no-topic-id.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { describeTopicPartitions } from '../protocol/apis/describe-topic-partitions.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof describeTopicPartitions>
type Response = ResponseOf<typeof describeTopicPartitions>
type TopicAnswer = Response['topics'][number]

/** As many partitions are on a page: Kafka's max.request.partition.size.limit. */
const pagePartitionsMax = 2000

/** DescribeTopicPartitions: topics by name, a page of partitions at a time. */
export function describeTopicPartitionsHandler(server: ServerContext): ApiHandler {
  return handlerOf(describeTopicPartitions, { versions: '0' }, async (call, request) => {
    const limit = Math.min(Math.max(request.responsePartitionLimit, 1), pagePartitionsMax)
    return page(server, call, { names: await namesOf(server, call, request), ...request, limit })
  })
}

/** In order, and from the place on where the page before ended. */
async function namesOf(
  server: ServerContext,
  call: Call,
  { topics, cursor }: Request,
): Promise<string[]> {
  const asked = topics.map(({ name }) => name)
  const names = [...new Set(asked.length === 0 ? await visibleNames(server, call) : asked)]
  return names.filter((name) => cursor === null || name >= cursor.topicName).sort()
}

async function visibleNames(server: ServerContext, call: Call): Promise<string[]> {
  const names = await call.turns.map(server.parts.topics.all, ({ name }) => {
    return call.may('describe', 'topic', name) ? name : null
  })
  return names.filter((name) => name !== null)
}

async function page(
  server: ServerContext,
  call: Call,
  asked: {
    readonly names: readonly string[]
    readonly cursor: Request['cursor']
    readonly limit: number
  },
): Promise<Response> {
  const { names, cursor, limit } = asked
  const topics: TopicAnswer[] = []
  let room = limit
  for (const name of names) {
    const pause = call.turns.next()
    if (pause !== undefined) await pause
    const found = findTopic(server, call, name)
    if (!('topic' in found)) {
      topics.push(found)
      continue
    }
    const { partitions } = found.topic
    const isContinued = cursor !== null && cursor.topicName === name
    const from = isContinued ? Math.max(cursor.partitionIndex, 0) : 0
    if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } }
    const told = partitions.slice(from, from + room)
    topics.push(described(server, call, found.topic, told))
    room -= told.length
    const next = from + told.length
    if (next < partitions.length) {
      return { topics, nextCursor: { topicName: name, partitionIndex: next } }
    }
  }
  return { topics, nextCursor: null }
}

function findTopic(
  server: ServerContext,
  call: Call,
  name: string,
): { readonly topic: Topic } | TopicAnswer {
  const nothing = { name, topicId: noTopicId, partitions: [] }
  if (!call.may('describe', 'topic', name)) {
    return { errorCode: errorCodes.TOPIC_AUTHORIZATION_FAILED, ...nothing }
  }
  try {
    checkTopicName(name)
    return { topic: server.parts.topics.topic(name) }
  } catch (error) {
    const topicAuthorizedOperations = authorizedOperations(call, 'topic', name)
    return { errorCode: refusal(error).errorCode, ...nothing, topicAuthorizedOperations }
  }
}

function described(
  { options: { nodeId } }: ServerContext,
  call: Call,
  { name, topicId, isInternal }: Topic,
  partitions: readonly Partition[],
): TopicAnswer {
  return {
    errorCode: errorCodes.NONE,
    ...{ name, topicId, isInternal },
    topicAuthorizedOperations: authorizedOperations(call, 'topic', name),
    partitions: partitions.map(({ partition, openLog, isUsable }) => ({
      errorCode: isUsable ? errorCodes.NONE : errorCodes.KAFKA_STORAGE_ERROR,
      partitionIndex: partition,
      leaderId: isUsable ? nodeId : -1,
      leaderEpoch: openLog?.leaderEpoch ?? -1,
      replicaNodes: [nodeId],
      isrNodes: isUsable ? [nodeId] : [],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: isUsable ? [] : [nodeId],
    })),
  }
}
