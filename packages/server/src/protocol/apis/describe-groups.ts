/** State and members of groups of the classic protocol. */
export const describeGroups = {
  name: 'DescribeGroups',
  key: 15,
  versions: '0-6',
  flexibleFrom: 5,
  request: {
    groups: 'string[]',
    includeAuthorizedOperations: 'bool 3+ = false',
  },
  response: {
    throttleTimeMs: 'int32 1+ = 0',
    groups: {
      each: {
        errorCode: 'int16',
        errorMessage: 'string? 6+ = null',
        groupId: 'string',
        groupState: 'string',
        protocolType: 'string',
        protocolData: 'string',
        members: {
          each: {
            memberId: 'string',
            groupInstanceId: 'string? 4+ = null',
            clientId: 'string',
            clientHost: 'string',
            memberMetadata: 'bytes',
            memberAssignment: 'bytes',
          },
        },
        authorizedOperations: 'int32 3+ = -2147483648',
      },
    },
  },
} as const
