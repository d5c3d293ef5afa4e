import type { TopicSettings } from '@varve/broker'
import type { Administration } from '../administration/administration.ts'
import { type SetTopic, topicEntries } from '../administration/described-configs.ts'
import { done, duplicatesIn, refusal, unauthorized } from '../administration/refusals.ts'
import { checkPartitionsAsked, partitionsOf } from '../administration/replica-assignment.ts'
import { givenSettings } from '../administration/topic-changes.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { noTopicId } from '../base/no-topic-id.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { createTopics } from '../protocol/apis/create-topics.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof createTopics>
type Wanted = Request['topics'][number]
type TopicAnswer = ResponseOf<typeof createTopics>['topics'][number]

/** CreateTopics: each by itself, one after the other. */
export function createTopicsHandler(
  server: ServerContext,
  administration: Administration,
): ApiHandler {
  return handlerOf(createTopics, { versions: '0-7' }, async (call, request) => {
    const duplicates = duplicatesIn(request.topics.map(({ name }) => name))
    const topics: TopicAnswer[] = []
    for (const name of duplicates) {
      const error = new RequestRefusedError('INVALID_REQUEST', 'duplicate topic name')
      topics.push(refused(name, error))
    }
    const wanted = request.topics.filter(({ name }) => !duplicates.has(name))
    const isAllowed = isAllowedAll(wanted, server.options.numPartitions)
    for (const topic of wanted) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      try {
        if (isAllowed !== null) throw isAllowed
        topics.push(await make(server, administration, call, request, topic))
      } catch (error) {
        topics.push(refused(topic.name, error))
      }
    }
    return { topics }
  })
}

/** Null, or why none of them is made. */
function isAllowedAll(topics: readonly Wanted[], usual: number): Error | null {
  const counts = topics.map(({ numPartitions, assignments }) => {
    return assignments.length > 0
      ? assignments.length
      : numPartitions === -1
        ? usual
        : numPartitions
  })
  try {
    checkPartitionsAsked(counts)
    return null
  } catch (error) {
    if (error instanceof RequestRefusedError) return error
    throw error
  }
}

async function make(
  server: ServerContext,
  administration: Administration,
  call: Call,
  { validateOnly }: Request,
  wanted: Wanted,
): Promise<TopicAnswer> {
  const { name, configs } = wanted
  const mayMake =
    call.may('create', 'cluster', clusterResource) || call.may('create', 'topic', name)
  if (!mayMake) throw unauthorized('TOPIC_AUTHORIZATION_FAILED')
  const { topics } = server.parts
  const partitions = partitionsOf(wanted, server.options)
  const unset = configs.find(({ value }) => value === null)
  if (unset !== undefined) {
    const rule = `null value not supported for topic configs: ${unset.name}`
    throw new RequestRefusedError('INVALID_CONFIG', rule)
  }
  const settings = givenSettings(configs, topics.settings.resolve(name, {}))
  if (validateOnly) {
    const resolved = topics.checkCreation(name, partitions, settings)
    const topic = { name, topicId: noTopicId, isInternal: false, settings: resolved }
    return made(administration, call, { ...topic, numPartitions: partitions }, settings)
  }
  topics.checkCreation(name, partitions, settings)
  call.throttle?.countMutations(partitions, call.version >= 6)
  const {
    topicId,
    isInternal,
    settings: resolved,
  } = await topics.create(name, partitions, settings)
  server.logger.info({ topic: name, partitions, by: call.client.principal }, 'a topic was made')
  const topic = { name, topicId, isInternal, settings: resolved }
  return made(administration, call, { ...topic, numPartitions: partitions }, settings)
}

function made(
  { brokerSettings }: Administration,
  call: Call,
  topic: SetTopic & {
    readonly name: string
    readonly topicId: string
    readonly numPartitions: number
  },
  own: TopicSettings,
): TopicAnswer {
  const { name, topicId, numPartitions } = topic
  if (!call.may('describeConfigs', 'topic', name)) {
    const topicConfigErrorCode = errorCodes.TOPIC_AUTHORIZATION_FAILED
    return { name, topicId, ...done, topicConfigErrorCode, configs: [] }
  }
  const entries = topicEntries(topic, own, brokerSettings)
  const configs = entries.map(({ name, value, source, isReadOnly }) => {
    return { name, value, readOnly: isReadOnly, configSource: source, isSensitive: false }
  })
  return { name, topicId, ...done, numPartitions, replicationFactor: 1, configs }
}

function refused(name: string, error: unknown): TopicAnswer {
  return { name, ...refusal(error), configs: [] }
}
