import { isInternalTopic } from '@varve/broker/serving'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { addPartitionsToTxn } from '../protocol/apis/add-partitions-to-txn.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { coordinatorCode } from '../transactions/transaction-codes.ts'

type Request = RequestOf<typeof addPartitionsToTxn>
type Answer = ResponseOf<typeof addPartitionsToTxn>

const fencedSince = 2

/** AddPartitionsToTxn: all of the partitions take part in the transaction, or none. */
export function addPartitionsToTxnHandler(server: ServerContext): ApiHandler {
  const { parts, logger } = server
  return handlerOf(addPartitionsToTxn, { versions: '0-3' }, async (call, request) => {
    const { transactionalId, producerId, producerEpoch } = request
    if (!call.may('write', 'transactionalId', transactionalId)) {
      return answered(request, () => errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    }
    if (transactionalId === '') {
      return answered(request, () => errorCodes.INVALID_REQUEST)
    }
    const checked = await answeredInTurns(call, request, (topic, partition) => {
      return checkPartition(server, call, topic, partition)
    })
    if (hasErrors(checked)) return notAttempted(checked)
    const places = request.topics.flatMap(({ name: topic, partitions }) => {
      return partitions.map((partition) => ({ topic, partition }))
    })
    try {
      const identity = { producerId, producerEpoch }
      await parts.coordinator.addPartitions(transactionalId, identity, places)
      return checked
    } catch (error) {
      const code = coordinatorCode(error, call.version >= fencedSince, logger)
      return answered(request, () => code)
    }
  })
}

function checkPartition(
  { parts }: ServerContext,
  call: Call,
  topic: string,
  partition: number,
): number {
  const found = parts.topics.find(topic)
  // Only coordinators write to internal topics, be they there or not.
  if (isInternalTopic(topic) || !call.may('write', 'topic', topic)) {
    return errorCodes.TOPIC_AUTHORIZATION_FAILED
  }
  const isThere = found !== null && found.partitions[partition] !== undefined
  return isThere ? errorCodes.NONE : errorCodes.UNKNOWN_TOPIC_OR_PARTITION
}

function answered(
  { topics }: Request,
  codeOf: (topic: string, partition: number) => number,
): Answer {
  return {
    results: topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: codeOf(name, partitionIndex),
      })),
    })),
  }
}

async function answeredInTurns(
  { turns }: Call,
  { topics }: Request,
  codeOf: (topic: string, partition: number) => number,
): Promise<Answer> {
  const results = await turns.map(topics, async ({ name, partitions }) => ({
    name,
    resultsByPartition: await turns.map(partitions, (partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex),
    })),
  }))
  return { results }
}

function hasErrors({ results }: Answer): boolean {
  return results.some(({ resultsByPartition }) => {
    return resultsByPartition.some(({ partitionErrorCode }) => partitionErrorCode !== 0)
  })
}

/** One partition that cannot take part keeps the others from it. */
function notAttempted({ results }: Answer): Answer {
  return {
    results: results.map(({ name, resultsByPartition }) => ({
      name,
      resultsByPartition: resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
        partitionIndex,
        partitionErrorCode:
          partitionErrorCode === errorCodes.NONE
            ? errorCodes.OPERATION_NOT_ATTEMPTED
            : partitionErrorCode,
      })),
    })),
  }
}
