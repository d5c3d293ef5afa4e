/**
 * Brokers, and topics with their partitions. No topics at all are asked for with an empty list,
 * every topic with null; in version 0 with an empty list.
 */
export const metadata = {
  name: 'Metadata',
  key: 3,
  versions: '0-13',
  flexibleFrom: 9,
  request: {
    topics: { each: { topicId: 'uuid 10+ = 0', name: 'string?10+' }, nullable: '1+' },
    allowAutoTopicCreation: 'bool 4+ = true',
    includeClusterAuthorizedOperations: 'bool 8-10 = false',
    includeTopicAuthorizedOperations: 'bool 8+ = false',
  },
  response: {
    throttleTimeMs: 'int32 3+ = 0',
    brokers: {
      each: { nodeId: 'int32', host: 'string', port: 'int32', rack: 'string? 1+ = null' },
    },
    clusterId: 'string? 2+ = null',
    controllerId: 'int32 1+ = -1',
    topics: {
      each: {
        errorCode: 'int16',
        name: 'string?12+',
        topicId: 'uuid 10+ = 0',
        isInternal: 'bool 1+ = false',
        partitions: {
          each: {
            errorCode: 'int16',
            partitionIndex: 'int32',
            leaderId: 'int32',
            leaderEpoch: 'int32 7+ = -1',
            replicaNodes: 'int32[]',
            isrNodes: 'int32[]',
            offlineReplicas: 'int32[] 5+',
          },
        },
        topicAuthorizedOperations: 'int32 8+ = -2147483648',
      },
    },
    clusterAuthorizedOperations: 'int32 8-10 = -2147483648',
    errorCode: 'int16 13+ = 0',
  },
} as const
