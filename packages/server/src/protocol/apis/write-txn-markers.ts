/** Ends transactions in partitions: between brokers, and by administrators whose one hangs. */
export const writeTxnMarkers = {
  name: 'WriteTxnMarkers',
  key: 27,
  versions: '0-2',
  flexibleFrom: 1,
  request: {
    markers: {
      each: {
        producerId: 'int64',
        producerEpoch: 'int16',
        transactionResult: 'bool',
        topics: { each: { name: 'string', partitionIndexes: 'int32[]' } },
        coordinatorEpoch: 'int32',
        transactionVersion: 'int8 2+ = 0',
      },
    },
  },
  response: {
    markers: {
      each: {
        producerId: 'int64',
        topics: {
          each: {
            name: 'string',
            partitions: { each: { partitionIndex: 'int32', errorCode: 'int16' } },
          },
        },
      },
    },
  },
} as const
