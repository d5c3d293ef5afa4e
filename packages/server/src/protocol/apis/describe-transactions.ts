/** State of transactional ids. */
export const describeTransactions = {
  name: 'DescribeTransactions',
  key: 65,
  versions: '0',
  flexibleFrom: 0,
  request: { transactionalIds: 'string[]' },
  response: {
    throttleTimeMs: 'int32 = 0',
    transactionStates: {
      each: {
        errorCode: 'int16',
        transactionalId: 'string',
        transactionState: 'string',
        transactionTimeoutMs: 'int32',
        transactionStartTimeMs: 'int64',
        producerId: 'int64',
        producerEpoch: 'int16',
        topics: { each: { topic: 'string', partitions: 'int32[]' } },
      },
    },
  },
} as const
