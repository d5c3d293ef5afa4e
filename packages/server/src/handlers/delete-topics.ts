import { done, duplicatesIn, refusal } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { noTopicId } from '../base/no-topic-id.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { deleteTopics } from '../protocol/apis/delete-topics.ts'

type Request = RequestOf<typeof deleteTopics>
type Wanted = Request['topics'][number]
type TopicAnswer = ResponseOf<typeof deleteTopics>['responses'][number]

/** DeleteTopics: each by itself, by name or by id. Nothing is said of what may not be seen. */
export function deleteTopicsHandler(server: ServerContext): ApiHandler {
  return handlerOf(deleteTopics, { versions: '0-6' }, async (call, request) => {
    const named = request.topicNames.map((name) => ({ name, topicId: noTopicId }))
    const wanted: readonly Wanted[] = [...named, ...request.topics]
    const duplicates = duplicatesIn(wanted.filter(isRightlyNamed).map(keyOf))
    const told = new Set<string>()
    const responses: TopicAnswer[] = []
    for (const topic of wanted) {
      const pause = call.turns.next()
      if (pause !== undefined) await pause
      const isTwice = isRightlyNamed(topic) && duplicates.has(keyOf(topic))
      if (isTwice && told.has(keyOf(topic))) continue
      told.add(keyOf(topic))
      try {
        if (isTwice) throw new RequestRefusedError('INVALID_REQUEST', 'named more than once')
        responses.push(await remove(server, call, topic))
      } catch (error) {
        responses.push({ ...topic, ...refusal(error) })
      }
    }
    return { responses }
  })
}

function isRightlyNamed({ name, topicId }: Wanted): boolean {
  return (name === null) !== (topicId === noTopicId)
}

/** No name has the same: ids have characters that a name may have too. */
function keyOf({ name, topicId }: Wanted): string {
  return name === null ? `id ${topicId}` : `name ${name}`
}

async function remove(server: ServerContext, call: Call, wanted: Wanted): Promise<TopicAnswer> {
  if (!isRightlyNamed(wanted)) {
    throw new RequestRefusedError('INVALID_REQUEST', 'a topic is named by its name or by its id')
  }
  const { topics } = server.parts
  const topic = wanted.name === null ? topics.findById(wanted.topicId) : topics.find(wanted.name)
  if (wanted.name === null && topic === null) {
    throw new RequestRefusedError('UNKNOWN_TOPIC_ID', 'there is no topic of this id')
  }
  const name = topic?.name ?? wanted.name ?? ''
  const isForAll = call.may('delete', 'cluster', clusterResource)
  const isSeen = isForAll || call.may('describe', 'topic', name)
  if (!isSeen || (topic !== null && !isForAll && !call.may('delete', 'topic', name))) {
    const error = new RequestRefusedError('TOPIC_AUTHORIZATION_FAILED', 'authorization failed')
    return { name: isSeen ? name : wanted.name, topicId: wanted.topicId, ...refusal(error) }
  }
  if (topic === null) {
    throw new RequestRefusedError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${name}'`)
  }
  const { topicId } = topic
  call.throttle?.countMutations(topic.partitions.length, call.version >= 5)
  await topics.delete(name)
  server.logger.info({ topic: name, by: call.client.principal }, 'a topic was deleted')
  return { name, topicId, ...done }
}
