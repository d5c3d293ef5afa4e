import { refusal } from '../administration/refusals.ts'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { KafkaError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import { electLeaders } from '../protocol/apis/elect-leaders.ts'
import { type ErrorName, errorCodes } from '../protocol/error-codes.ts'

/** Kafka's numbers of elections: of preferred leaders, and of unclean ones. */
const electionTypes: readonly number[] = [0, 1]

/** ElectLeaders: every partition has the leader that it can have. */
export function electLeadersHandler(server: ServerContext): ApiHandler {
  return handlerOf(electLeaders, { versions: '0-2' }, async (call, request) => {
    const { electionType, topicPartitions } = request
    const isKnown = electionTypes.includes(electionType)
    const whole: ErrorName | null = !call.may('alter', 'cluster', clusterResource)
      ? 'CLUSTER_AUTHORIZATION_FAILED'
      : isKnown
        ? null
        : 'INVALID_REQUEST'
    const results = await call.turns.map(topicPartitions ?? [], async ({ topic, partitions }) => ({
      topic,
      partitionResult: await call.turns.map(partitions, (partitionId) => ({
        partitionId,
        ...(whole === null
          ? answerFor(server, topic, partitionId)
          : refusal(new RequestRefusedError(whole, 'no leader is elected'))),
      })),
    }))
    const errorCode = whole === null ? errorCodes.NONE : errorCodes[whole]
    // Asked for all partitions, it tells of those whose leader has changed.
    return { errorCode, replicaElectionResults: results }
  })
}

function answerFor(server: ServerContext, topic: string, partition: number): KafkaError {
  try {
    const { isUsable } = server.parts.topics.topic(topic).partition(partition)
    throw isUsable
      ? new RequestRefusedError('ELECTION_NOT_NEEDED', 'leader election not needed')
      : new RequestRefusedError('PREFERRED_LEADER_NOT_AVAILABLE', 'its storage has failed')
  } catch (error) {
    return refusal(error)
  }
}
