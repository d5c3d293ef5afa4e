/** The offsets of a group take part in a transaction. */
export const addOffsetsToTxn = {
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: '0-4',
  flexibleFrom: 3,
  request: {
    transactionalId: 'string',
    producerId: 'int64',
    producerEpoch: 'int16',
    groupId: 'string',
  },
  response: { throttleTimeMs: 'int32 = 0', errorCode: 'int16' },
} as const
