import type { GroupCoordinator } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { groupErrorCode, groupNameError, usedCoordinatorOf } from '../groups/group-calls.ts'
import { offsetDelete } from '../protocol/apis/offset-delete.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** OffsetDelete: forgets what a group has committed of topics that its members do not read. */
export function offsetDeleteHandler(server: ServerContext): ApiHandler {
  return handlerOf(offsetDelete, { versions: '0' }, async (call, request) => {
    const { groupId } = request
    const refuse = (errorCode: number) => ({ errorCode, topics: [] })
    if (!call.may('delete', 'group', groupId)) return refuse(errorCodes.GROUP_AUTHORIZATION_FAILED)
    if (groupNameError(groupId) !== errorCodes.NONE) return refuse(errorCodes.INVALID_GROUP_ID)
    try {
      const coordinator = await usedCoordinatorOf(server)
      if (coordinator === null) return refuse(errorCodes.GROUP_ID_NOT_FOUND)
      const deletable = await coordinator.deletableOffsets(groupId)
      const topics = request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          const errorCode = refusal(server, call, name, partitionIndex, deletable.readTopics)
          return { partitionIndex, errorCode }
        }),
      }))
      await forget(coordinator, groupId, topics)
      return { errorCode: errorCodes.NONE, topics }
    } catch (error) {
      return refuse(groupErrorCode(server, groupId, error))
    }
  })
}

/** @param readTopics what members of the group read; null for whatever there is */
function refusal(
  { parts: { topics } }: ServerContext,
  call: Call,
  name: string,
  partition: number,
  readTopics: ReadonlySet<string> | null,
): number {
  if (!call.may('read', 'topic', name)) return errorCodes.TOPIC_AUTHORIZATION_FAILED
  if (topics.find(name)?.partitions[partition] === undefined) {
    return errorCodes.UNKNOWN_TOPIC_OR_PARTITION
  }
  const isRead = readTopics === null || readTopics.has(name)
  return isRead ? errorCodes.GROUP_SUBSCRIBED_TO_TOPIC : errorCodes.NONE
}

async function forget(
  coordinator: GroupCoordinator,
  group: string,
  topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[],
): Promise<void> {
  const places = topics.flatMap(({ name, partitions }) => {
    const allowed = partitions.filter(({ errorCode }) => errorCode === errorCodes.NONE)
    return allowed.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex }))
  })
  await coordinator.forgetOffsets(group, places)
}
