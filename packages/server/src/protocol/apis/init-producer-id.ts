/** Gives a producer its id and epoch; from version 3 on also a new epoch for one that has both. */
export const initProducerId = {
  name: 'InitProducerId',
  key: 22,
  versions: '0-5',
  flexibleFrom: 2,
  request: {
    transactionalId: 'string?',
    transactionTimeoutMs: 'int32',
    producerId: 'int64 3+ = -1',
    producerEpoch: 'int16 3+ = -1',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    producerId: 'int64 = -1',
    producerEpoch: 'int16',
  },
} as const
