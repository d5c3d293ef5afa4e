import type { Topic } from '@varve/broker/serving'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { authorizedOperations, operationsNotAsked } from '../base/authorized-operations.ts'
import { distinctBy } from '../base/distinct.ts'
import { toldError } from '../base/kafka-error.ts'
import { noTopicId } from '../base/no-topic-id.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { metadata } from '../protocol/apis/metadata.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof metadata>
type TopicAnswer = ResponseOf<typeof metadata>['topics'][number]

/**
 * So many topics are made for one request at most: making one takes some writes to the disk, and
 * others who change topics wait for it. Of the others a client is told that they are not there yet,
 * and asks again.
 */
const madeMax = 100

/**
 * Metadata: the brokers, of which there is one, and topics with their partitions. A topic that is
 * not there is made where the server and the client agree to it, and the client may.
 */
export function metadataHandler(server: ServerContext): ApiHandler {
  const { nodeId } = server.options
  return handlerOf(metadata, { versions: '0-13' }, async (call, request) => {
    const { topics: named } = request
    const isForAll = named === null || (call.version === 0 && named.length === 0)
    const asked = distinctBy(named ?? [], ({ name, topicId }) => name ?? `id ${topicId}`)
    const topics = isForAll
      ? await call.turns.map(visibleTopics(server, call), (topic) => {
          return describe(server, call, request, topic)
        })
      : await describeAll(server, call, request, asked)
    const isClusterAsked = request.includeClusterAuthorizedOperations
    return {
      brokers: [{ nodeId, ...call.client.advertised }],
      clusterId: server.clusterId,
      controllerId: nodeId,
      topics,
      clusterAuthorizedOperations: isClusterAsked
        ? authorizedOperations(call, 'cluster', clusterResource)
        : operationsNotAsked,
    }
  })
}

function visibleTopics(server: ServerContext, call: Call): readonly Topic[] {
  return server.parts.topics.all.filter(({ name }) => call.may('describe', 'topic', name))
}

interface Wanted {
  readonly name: string | null
  readonly topicId: string
}

/** Of those that are not there some are made, one after the other, while the client waits. */
async function describeAll(
  server: ServerContext,
  call: Call,
  request: Request,
  asked: readonly Wanted[],
): Promise<TopicAnswer[]> {
  const topics: TopicAnswer[] = []
  let made = 0
  const mayMakeMore = (): boolean => made++ < madeMax && !call.client.isClosed
  for (const wanted of asked) {
    const pause = call.turns.next()
    if (pause !== undefined) await pause
    const answer = describeWanted(server, call, request, wanted, mayMakeMore)
    topics.push(answer instanceof Promise ? await answer : answer)
  }
  return topics
}

function describeWanted(
  server: ServerContext,
  call: Call,
  request: Request,
  { name, topicId }: Wanted,
  mayMakeMore: () => boolean,
): TopicAnswer | Promise<TopicAnswer> {
  const { topics } = server.parts
  if (name === null) {
    const topic = topics.findById(topicId)
    if (topic === null || !call.may('describe', 'topic', topic.name)) {
      return refused(null, topicId, errorCodes.UNKNOWN_TOPIC_ID)
    }
    return describe(server, call, request, topic)
  }
  if (!call.may('describe', 'topic', name)) {
    return refused(name, noTopicId, errorCodes.TOPIC_AUTHORIZATION_FAILED)
  }
  const topic = topics.find(name)
  if (topic !== null) return describe(server, call, request, topic)
  const topicAuthorizedOperations = operationsOn(call, request, name)
  const refusal = makingRefusal(server, call, request, name, mayMakeMore)
  if (refusal !== null) {
    return { ...refused(name, noTopicId, refusal), topicAuthorizedOperations }
  }
  return make(server, call, request, name).then((made) => ({ ...made, topicAuthorizedOperations }))
}

function operationsOn(call: Call, request: Request, name: string): number {
  const isAsked = request.includeTopicAuthorizedOperations
  return isAsked ? authorizedOperations(call, 'topic', name) : operationsNotAsked
}

/** Why a topic that is not there is not made; null where it is. */
function makingRefusal(
  { options }: ServerContext,
  call: Call,
  { allowAutoTopicCreation }: Request,
  name: string,
  mayMakeMore: () => boolean,
): number | null {
  if (!options.autoCreateTopics || !allowAutoTopicCreation) return missingCode(name)
  const mayMake =
    call.may('create', 'cluster', clusterResource) || call.may('create', 'topic', name)
  if (!mayMake) return errorCodes.TOPIC_AUTHORIZATION_FAILED
  return mayMakeMore() ? null : missingCode(name)
}

async function make(
  server: ServerContext,
  call: Call,
  request: Request,
  name: string,
): Promise<TopicAnswer> {
  try {
    call.throttle?.countMutations(server.options.numPartitions, false)
    await server.parts.topics.create(name, server.options.numPartitions, {})
  } catch (error) {
    const { errorCode } = toldError(error)
    // Somebody else was faster.
    if (errorCode !== errorCodes.TOPIC_ALREADY_EXISTS) return refused(name, noTopicId, errorCode)
  }
  const made = server.parts.topics.find(name)
  if (made === null) return refused(name, noTopicId, errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  return describe(server, call, request, made)
}

function missingCode(name: string): number {
  const isName = name !== '.' && name !== '..' && /^[a-zA-Z0-9._-]{1,249}$/.test(name)
  return isName ? errorCodes.UNKNOWN_TOPIC_OR_PARTITION : errorCodes.INVALID_TOPIC_EXCEPTION
}

function refused(name: string | null, topicId: string, errorCode: number): TopicAnswer {
  return { errorCode, name, topicId, partitions: [] }
}

function describe(
  { options: { nodeId } }: ServerContext,
  call: Call,
  request: Request,
  topic: Topic,
): TopicAnswer {
  const { name, topicId, isInternal } = topic
  const partitions = topic.partitions.map(({ partition, openLog, isUsable }) => ({
    errorCode: isUsable ? errorCodes.NONE : errorCodes.KAFKA_STORAGE_ERROR,
    partitionIndex: partition,
    leaderId: isUsable ? nodeId : -1,
    leaderEpoch: openLog?.leaderEpoch ?? -1,
    replicaNodes: [nodeId],
    isrNodes: isUsable ? [nodeId] : [],
    offlineReplicas: isUsable ? [] : [nodeId],
  }))
  const topicAuthorizedOperations = operationsOn(call, request, name)
  return {
    errorCode: errorCodes.NONE,
    ...{ name, topicId, isInternal, partitions, topicAuthorizedOperations },
  }
}
