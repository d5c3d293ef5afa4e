import type { GroupCoordinator } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { groupErrorCode, usedCoordinatorOf } from '../groups/group-calls.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { offsetFetch } from '../protocol/apis/offset-fetch.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof offsetFetch>
type Response = ResponseOf<typeof offsetFetch>
type GroupAnswer = NonNullable<Response['groups']>[number]
type TopicAnswer = GroupAnswer['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]
/** Null topics stand for all. */
interface AskedGroup {
  readonly groupId: string
  /** Who asks, if it says so, from version 9 on. */
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly topics: readonly AskedTopic[] | null
}
interface AskedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

/** Partitions of a group that have been told, by topic. */
type Told = Map<string, Set<number>>
/** Where all of a group have been; no topic's key. */
const allOfIt = 'all'

const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** OffsetFetch: how far a group has come, from version 8 on of several. */
export function offsetFetchHandler(server: ServerContext): ApiHandler {
  return handlerOf(offsetFetch, { versions: '1-10' }, async (call, request) => {
    const { requireStable } = request
    if (call.version >= 8) {
      const groups: GroupAnswer[] = []
      const told = new Map<string, Told>()
      for (const asked of request.groups) {
        const pause = call.turns.next()
        if (pause !== undefined) await pause
        const toldOfIt = told.get(asked.groupId) ?? new Map()
        told.set(asked.groupId, toldOfIt)
        groups.push(await fetchGroup(server, call, asked, requireStable, toldOfIt))
      }
      return { groups }
    }
    const asked = askedBefore8(request)
    const { errorCode = errorCodes.NONE, topics } = await fetchGroup(
      ...([server, call, asked, requireStable] as const),
    )
    if (call.version >= 2 || errorCode === errorCodes.NONE) {
      return { errorCode, topics: topics.map(named) }
    }
    // There is no other place for it.
    const refused = (partitionIndex: number) => nothing(partitionIndex, errorCode)
    const failed = (asked.topics ?? []).map(({ name, partitionIndexes }) => {
      return { name, partitions: partitionIndexes.map(refused) }
    })
    return { topics: failed }
  })
}

/** A partition that is named twice is told once: what was noted with its offset may be long. */
function eachOnce(asked: readonly AskedTopic[], told: Told): AskedTopic[] {
  return asked.map((topic) => {
    const key = `${topic.topicId} ${topic.name}`
    const known = told.get(key) ?? new Set()
    told.set(key, known)
    const isNew = (partition: number): boolean => {
      const isKnown = known.has(partition)
      known.add(partition)
      return !isKnown
    }
    return { ...topic, partitionIndexes: topic.partitionIndexes.filter(isNew) }
  })
}

function askedBefore8({ groupId, topics }: Request): AskedGroup {
  const nobody = { memberId: null, memberEpoch: -1 }
  return {
    groupId,
    ...nobody,
    topics: topics?.map((each) => ({ ...each, topicId: noTopicId })) ?? null,
  }
}

function named({ name = '', partitions }: TopicAnswer): {
  readonly name: string
  readonly partitions: readonly PartitionAnswer[]
} {
  return { name, partitions }
}

async function fetchGroup(
  server: ServerContext,
  call: Call,
  asked: AskedGroup,
  requireStable: boolean,
  told: Told = new Map(),
): Promise<GroupAnswer> {
  const { groupId } = asked
  if (!call.may('describe', 'group', groupId)) {
    return { groupId, errorCode: errorCodes.GROUP_AUTHORIZATION_FAILED, topics: [] }
  }
  try {
    const coordinator = await usedCoordinatorOf(server)
    // What transactions have brought is noted when somebody looks.
    await coordinator?.storeOf(groupId).refresh()
    coordinator?.checkFetch(groupId, asked.memberId, asked.memberEpoch)
    const found = { server, call, groupId, requireStable, coordinator }
    const isToldWhole = asked.topics === null && told.has(allOfIt)
    if (asked.topics === null) told.set(allOfIt, new Set())
    const topics = isToldWhole ? [] : eachOnce(asked.topics ?? allTopics(found), told)
    const answers = await call.turns.map(topics, (topic) => answerTopic(found, topic))
    return { groupId, topics: answers }
  } catch (error) {
    return { groupId, errorCode: groupErrorCode(server, groupId, error), topics: [] }
  }
}

interface Found {
  readonly server: ServerContext
  readonly call: Call
  readonly groupId: string
  readonly requireStable: boolean
  /** Null where there has never been a group. */
  readonly coordinator: GroupCoordinator | null
}

/** Every topic that the group has committed something of, and that may be seen. */
function allTopics({ server, call, groupId, coordinator }: Found): readonly AskedTopic[] {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of coordinator?.storeOf(groupId).offsets(groupId) ?? []) {
    if (!call.may('describe', 'topic', topic)) continue
    const partitions = byTopic.get(topic)
    if (partitions === undefined) byTopic.set(topic, [partition])
    else partitions.push(partition)
  }
  return [...byTopic].flatMap(([name, partitionIndexes]) => {
    const topicId = server.parts.topics.find(name)?.topicId
    // A topic that is gone has no id to be told by.
    if (topicId === undefined && call.version >= 10) return []
    return [{ name, topicId: topicId ?? noTopicId, partitionIndexes }]
  })
}

async function answerTopic(found: Found, asked: AskedTopic): Promise<TopicAnswer> {
  const { server, call } = found
  const { topicId, partitionIndexes } = asked
  const isById = call.version >= 10
  const name = isById ? (server.parts.topics.findById(topicId)?.name ?? null) : asked.name
  const answerAll = async (
    answer: (partitionIndex: number) => PartitionAnswer,
  ): Promise<TopicAnswer> => {
    const partitions = await call.turns.map(partitionIndexes, answer)
    return { name: name ?? '', topicId, partitions }
  }
  if (name === null) return answerAll((each) => nothing(each, errorCodes.UNKNOWN_TOPIC_ID))
  if (!call.may('describe', 'topic', name)) {
    return answerAll((each) => nothing(each, errorCodes.TOPIC_AUTHORIZATION_FAILED))
  }
  return answerAll((each) => committedOf(found, name, each))
}

function committedOf(found: Found, topic: string, partitionIndex: number): PartitionAnswer {
  const { groupId, requireStable, coordinator } = found
  const store = coordinator?.storeOf(groupId)
  if (requireStable && store?.isPending(groupId, topic, partitionIndex) === true) {
    return nothing(partitionIndex, errorCodes.UNSTABLE_OFFSET_COMMIT)
  }
  const committed = store?.committed(groupId, topic, partitionIndex) ?? null
  if (committed === null) return nothing(partitionIndex, errorCodes.NONE)
  return {
    partitionIndex,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    errorCode: errorCodes.NONE,
  }
}

function nothing(partitionIndex: number, errorCode: number): PartitionAnswer {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}
