/** A member joins its group, or joins it again, and waits until all of them have. */
export const joinGroup = {
  name: 'JoinGroup',
  key: 11,
  versions: '0-9',
  flexibleFrom: 6,
  request: {
    groupId: 'string',
    sessionTimeoutMs: 'int32',
    rebalanceTimeoutMs: 'int32 1+ = -1',
    memberId: 'string',
    groupInstanceId: 'string? 5+ = null',
    protocolType: 'string',
    protocols: { each: { name: 'string', metadata: 'bytes' } },
    reason: 'string? 8+ = null',
  },
  response: {
    throttleTimeMs: 'int32 2+ = 0',
    errorCode: 'int16',
    generationId: 'int32 = -1',
    protocolType: 'string? 7+ = null',
    protocolName: 'string?7+',
    leader: 'string',
    skipAssignment: 'bool 9+ = false',
    memberId: 'string',
    members: {
      each: {
        memberId: 'string',
        groupInstanceId: 'string? 5+ = null',
        metadata: 'bytes',
      },
    },
  },
} as const
