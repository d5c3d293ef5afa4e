import { placeOfOffsets } from '@varve/broker/serving'
import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import { addOffsetsToTxn } from '../protocol/apis/add-offsets-to-txn.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { coordinatorCode } from '../transactions/transaction-codes.ts'

const fencedSince = 2

/** AddOffsetsToTxn: the partition with a group's offsets takes part in the transaction. */
export function addOffsetsToTxnHandler({ parts, logger }: ServerContext): ApiHandler {
  return handlerOf(addOffsetsToTxn, { versions: '0-4' }, async (call, request) => {
    const { transactionalId, producerId, producerEpoch, groupId } = request
    if (!call.may('write', 'transactionalId', transactionalId)) {
      return { errorCode: errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
    }
    if (!call.may('read', 'group', groupId)) {
      return { errorCode: errorCodes.GROUP_AUTHORIZATION_FAILED }
    }
    if (transactionalId === '') return { errorCode: errorCodes.INVALID_REQUEST }
    try {
      const place = placeOfOffsets(await parts.groups.coordinator(), groupId)
      const identity = { producerId, producerEpoch }
      await parts.coordinator.addPartitions(transactionalId, identity, [place])
      return { errorCode: errorCodes.NONE }
    } catch (error) {
      return { errorCode: coordinatorCode(error, call.version >= fencedSince, logger) }
    }
  })
}
