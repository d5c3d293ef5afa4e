import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { leaderEpochError } from '../fetching/leader-epoch-error.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { offsetForLeaderEpoch } from '../protocol/apis/offset-for-leader-epoch.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Request = RequestOf<typeof offsetForLeaderEpoch>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type TopicAnswer = ResponseOf<typeof offsetForLeaderEpoch>['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

/** OffsetForLeaderEpoch: where the records of an epoch end, for clients that may have others. */
export function offsetForLeaderEpochHandler(server: ServerContext): ApiHandler {
  return handlerOf(offsetForLeaderEpoch, { versions: '0-4' }, async (call, request) => ({
    topics: await call.turns.map(request.topics, async ({ topic, partitions }) => {
      const mayAsk =
        call.may('describe', 'topic', topic) ||
        call.may('clusterAction', 'cluster', clusterResource)
      return {
        topic,
        partitions: await call.turns.map(partitions, (partition) => {
          return answerPartition(server, topic, partition, mayAsk)
        }),
      }
    }),
  }))
}

function answerPartition(
  { parts: { topics } }: ServerContext,
  topic: string,
  { partition, currentLeaderEpoch, leaderEpoch }: PartitionRequest,
  mayAsk: boolean,
): PartitionAnswer {
  const refused = (errorCode: number): PartitionAnswer => ({ partition, errorCode })
  if (!mayAsk) return refused(errorCodes.TOPIC_AUTHORIZATION_FAILED)
  const found = topics.find(topic)?.partitions[partition]
  if (found === undefined) return refused(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  try {
    const { log } = found
    const epochError = leaderEpochError(log, currentLeaderEpoch)
    if (epochError !== errorCodes.NONE) return refused(epochError)
    const end = log.endOfLeaderEpoch(leaderEpoch)
    if (end === null) return refused(errorCodes.NONE)
    const { epoch, endOffset } = end
    return { partition, errorCode: errorCodes.NONE, leaderEpoch: epoch, endOffset }
  } catch (error) {
    return refused(toldError(error).errorCode)
  }
}
