/** Topics with their partitions, a page at a time. */
export const describeTopicPartitions = {
  name: 'DescribeTopicPartitions',
  key: 75,
  versions: '0',
  flexibleFrom: 0,
  request: {
    topics: { each: { name: 'string' } },
    responsePartitionLimit: 'int32 = 2000',
    cursor: { struct: { topicName: 'string', partitionIndex: 'int32' }, nullable: '0+' },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    topics: {
      each: {
        errorCode: 'int16',
        name: 'string?',
        topicId: 'uuid',
        isInternal: 'bool = false',
        partitions: {
          each: {
            errorCode: 'int16',
            partitionIndex: 'int32',
            leaderId: 'int32',
            leaderEpoch: 'int32 = -1',
            replicaNodes: 'int32[]',
            isrNodes: 'int32[]',
            eligibleLeaderReplicas: 'int32[]? = null',
            lastKnownElr: 'int32[]? = null',
            offlineReplicas: 'int32[]',
          },
        },
        topicAuthorizedOperations: 'int32 = -2147483648',
      },
    },
    nextCursor: { struct: { topicName: 'string', partitionIndex: 'int32' }, nullable: '0+' },
  },
} as const
