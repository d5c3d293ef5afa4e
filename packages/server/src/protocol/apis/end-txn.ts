/** Commits or aborts. From version 5 on each transaction has an epoch of its own. */
export const endTxn = {
  name: 'EndTxn',
  key: 26,
  versions: '0-5',
  flexibleFrom: 3,
  request: {
    transactionalId: 'string',
    producerId: 'int64',
    producerEpoch: 'int16',
    committed: 'bool',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    producerId: 'int64 5+ = -1',
    producerEpoch: 'int16 5+ = -1',
  },
} as const
