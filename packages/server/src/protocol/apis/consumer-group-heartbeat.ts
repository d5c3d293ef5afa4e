/** All that a member of a group of the newer protocol (KIP-848) says and learns. */
export const consumerGroupHeartbeat = {
  name: 'ConsumerGroupHeartbeat',
  key: 68,
  versions: '0-1',
  flexibleFrom: 0,
  request: {
    groupId: 'string',
    memberId: 'string',
    memberEpoch: 'int32',
    instanceId: 'string? = null',
    rackId: 'string? = null',
    rebalanceTimeoutMs: 'int32 = -1',
    subscribedTopicNames: 'string[]? = null',
    subscribedTopicRegex: 'string? 1+ = null',
    serverAssignor: 'string? = null',
    topicPartitions: { each: { topicId: 'uuid', partitions: 'int32[]' }, nullable: '0+' },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    memberId: 'string? = null',
    memberEpoch: 'int32',
    heartbeatIntervalMs: 'int32',
    assignment: {
      struct: { topicPartitions: { each: { topicId: 'uuid', partitions: 'int32[]' } } },
      nullable: '0+',
    },
  },
} as const
