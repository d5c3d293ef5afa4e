import { refusal, unauthorized } from '../administration/refusals.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import { deleteRecords } from '../protocol/apis/delete-records.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** What stands for the end of a partition, as far as it can be read. */
const endOfPartition = -1

/** DeleteRecords: raises the first offset of partitions, durably, each by itself. */
export function deleteRecordsHandler(server: ServerContext): ApiHandler {
  return handlerOf(deleteRecords, { versions: '0-2' }, async (call, request) => {
    const topics = await call.turns.map(request.topics, async ({ name, partitions }) => ({
      name,
      partitions: await call.turns.map(partitions, async ({ partitionIndex, offset }) => {
        try {
          const lowWatermark = await raise(server, call, name, partitionIndex, offset)
          return { partitionIndex, lowWatermark, errorCode: errorCodes.NONE }
        } catch (error) {
          return { partitionIndex, lowWatermark: -1, errorCode: refusal(error).errorCode }
        }
      }),
    }))
    return { topics }
  })
}

/** The first offset that there is then. */
async function raise(
  server: ServerContext,
  call: Call,
  name: string,
  partitionIndex: number,
  offset: number,
): Promise<number> {
  if (!call.may('delete', 'topic', name)) throw unauthorized('TOPIC_AUTHORIZATION_FAILED')
  const topic = server.parts.topics.topic(name)
  if (topic.isInternal) {
    throw new RequestRefusedError('INVALID_TOPIC_EXCEPTION', 'it is an internal topic')
  }
  if (!topic.settings.cleanupPolicy.includes('delete')) {
    const rule = 'records leave a topic that is only compacted by being superseded'
    throw new RequestRefusedError('POLICY_VIOLATION', rule)
  }
  const { log } = topic.partition(partitionIndex)
  const before = offset === endOfPartition ? log.highWatermark : offset
  if (before < 0) throw new RequestRefusedError('OFFSET_OUT_OF_RANGE', 'no offset is negative')
  await log.deleteSegmentsBefore(before)
  return log.logStartOffset
}
