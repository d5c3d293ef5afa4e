import type { GroupCoordinator } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { groupErrorCode, groupNameError, usedCoordinatorOf } from '../groups/group-calls.ts'
import { offsetDelete } from '../protocol/apis/offset-delete.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** A partition that is asked for, and what is to be answered of it. */
interface Asked {
  readonly topic: string
  readonly partition: number
  errorCode: number
}

/** OffsetDelete: forgets what a group has committed of topics that its members do not read. */
export function offsetDeleteHandler(server: ServerContext): ApiHandler {
  return handlerOf(offsetDelete, { versions: '0' }, async (call, request) => {
    const { groupId } = request
    if (!call.may('delete', 'group', groupId)) {
      return { errorCode: errorCodes.GROUP_AUTHORIZATION_FAILED, topics: [] }
    }
    const byName = await call.turns.map(request.topics, ({ name, partitions }) =>
      call.turns.map(partitions, ({ partitionIndex }): Asked => {
        const errorCode = refusal(server, call, name, partitionIndex)
        return { topic: name, partition: partitionIndex, errorCode }
      }),
    )
    const all = byName.flat()
    const allowed = all.filter(({ errorCode }) => errorCode === errorCodes.NONE)
    const isRefused = allowed.length === 0 && all.length > 0
    const errorCode = isRefused ? errorCodes.NONE : await forget(server, groupId, allowed)
    // Where the group cannot be asked, only what was refused before that is told apart.
    const told = errorCode === errorCodes.NONE ? all : all.filter((each) => each.errorCode !== 0)
    return { errorCode, topics: byTopic(told) }
  })
}

function refusal(
  { parts: { topics } }: ServerContext,
  call: Call,
  topic: string,
  partition: number,
): number {
  if (!call.may('read', 'topic', topic)) return errorCodes.TOPIC_AUTHORIZATION_FAILED
  const isThere = topics.find(topic)?.partitions[partition] !== undefined
  return isThere ? errorCodes.NONE : errorCodes.UNKNOWN_TOPIC_OR_PARTITION
}

/** Forgets what members do not read, and says of the rest that they do. */
async function forget(
  server: ServerContext,
  group: string,
  asked: readonly Asked[],
): Promise<number> {
  if (groupNameError(group) !== errorCodes.NONE) return errorCodes.INVALID_GROUP_ID
  try {
    const coordinator: GroupCoordinator | null = await usedCoordinatorOf(server)
    if (coordinator === null) return errorCodes.GROUP_ID_NOT_FOUND
    const { readTopics } = await coordinator.deletableOffsets(group)
    for (const each of asked) {
      const isRead = readTopics === null || readTopics.has(each.topic)
      if (isRead) each.errorCode = errorCodes.GROUP_SUBSCRIBED_TO_TOPIC
    }
    const unread = asked.filter(({ errorCode }) => errorCode === errorCodes.NONE)
    await coordinator.forgetOffsets(group, unread)
    return errorCodes.NONE
  } catch (error) {
    return groupErrorCode(server, group, error)
  }
}

function byTopic(asked: readonly Asked[]) {
  const topics = new Map<string, { partitionIndex: number; errorCode: number }[]>()
  for (const { topic, partition, errorCode } of asked) {
    const partitions = topics.get(topic) ?? []
    topics.set(topic, partitions)
    partitions.push({ partitionIndex: partition, errorCode })
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}
