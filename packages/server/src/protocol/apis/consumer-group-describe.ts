/** State and members of groups of the newer protocol (KIP-848). */
export const consumerGroupDescribe = {
  name: 'ConsumerGroupDescribe',
  key: 69,
  versions: '0-1',
  flexibleFrom: 0,
  request: { groupIds: 'string[]', includeAuthorizedOperations: 'bool = false' },
  response: {
    throttleTimeMs: 'int32 = 0',
    groups: {
      each: {
        errorCode: 'int16',
        errorMessage: 'string? = null',
        groupId: 'string',
        groupState: 'string',
        groupEpoch: 'int32',
        assignmentEpoch: 'int32',
        assignorName: 'string',
        members: {
          each: {
            memberId: 'string',
            instanceId: 'string? = null',
            rackId: 'string? = null',
            memberEpoch: 'int32',
            clientId: 'string',
            clientHost: 'string',
            subscribedTopicNames: 'string[]',
            subscribedTopicRegex: 'string? = null',
            assignment: {
              struct: {
                topicPartitions: {
                  each: { topicId: 'uuid', topicName: 'string', partitions: 'int32[]' },
                },
              },
            },
            targetAssignment: {
              struct: {
                topicPartitions: {
                  each: { topicId: 'uuid', topicName: 'string', partitions: 'int32[]' },
                },
              },
            },
            memberType: 'int8 1+ = -1',
          },
        },
        authorizedOperations: 'int32 = -2147483648',
      },
    },
  },
} as const
