/**
 * Partitions take part in a transaction. What later versions add is spoken between brokers only;
 * Kafka's own names for these fields say so since then, and are the older ones here.
 */
export const addPartitionsToTxn = {
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: '0-3',
  flexibleFrom: 3,
  request: {
    transactionalId: 'string',
    producerId: 'int64',
    producerEpoch: 'int16',
    topics: { each: { name: 'string', partitions: 'int32[]' } },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: {
      each: {
        name: 'string',
        resultsByPartition: {
          each: { partitionIndex: 'int32', partitionErrorCode: 'int16' },
        },
      },
    },
  },
} as const
