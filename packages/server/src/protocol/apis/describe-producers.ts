/** The producers that partitions know. */
export const describeProducers = {
  name: 'DescribeProducers',
  key: 61,
  versions: '0',
  flexibleFrom: 0,
  request: {
    topics: { each: { name: 'string', partitionIndexes: 'int32[]' } },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            errorCode: 'int16',
            errorMessage: 'string? = null',
            activeProducers: {
              each: {
                producerId: 'int64',
                producerEpoch: 'int32',
                lastSequence: 'int32 = -1',
                lastTimestamp: 'int64 = -1',
                coordinatorEpoch: 'int32',
                currentTxnStartOffset: 'int64 = -1',
              },
            },
          },
        },
      },
    },
  },
} as const
