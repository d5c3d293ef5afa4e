/** Makes topics. From version 4 on -1 partitions or replicas stand for the broker's defaults. */
export const createTopics = {
  name: 'CreateTopics',
  key: 19,
  versions: '0-7',
  flexibleFrom: 5,
  request: {
    topics: {
      each: {
        name: 'string',
        numPartitions: 'int32',
        replicationFactor: 'int16',
        assignments: { each: { partitionIndex: 'int32', brokerIds: 'int32[]' } },
        configs: { each: { name: 'string', value: 'string?' } },
      },
    },
    timeoutMs: 'int32 = 60000',
    validateOnly: 'bool 1+ = false',
  },
  response: {
    throttleTimeMs: 'int32 2+ = 0',
    topics: {
      each: {
        name: 'string',
        topicId: 'uuid 7+ = 0',
        errorCode: 'int16',
        errorMessage: 'string? 1+ = null',
        topicConfigErrorCode: 'int16 5+ tag 0',
        numPartitions: 'int32 5+ = -1',
        replicationFactor: 'int16 5+ = -1',
        configs: {
          each: {
            name: 'string',
            value: 'string?',
            readOnly: 'bool',
            configSource: 'int8 = -1',
            isSensitive: 'bool',
          },
          in: '5+',
          nullable: '5+',
        },
      },
    },
  },
} as const
