/** The leader hands in what it has assigned, and every member gets its part. */
export const syncGroup = {
  name: 'SyncGroup',
  key: 14,
  versions: '0-5',
  flexibleFrom: 4,
  request: {
    groupId: 'string',
    generationId: 'int32',
    memberId: 'string',
    groupInstanceId: 'string? 3+ = null',
    protocolType: 'string? 5+ = null',
    protocolName: 'string? 5+ = null',
    assignments: { each: { memberId: 'string', assignment: 'bytes' } },
  },
  response: {
    throttleTimeMs: 'int32 1+ = 0',
    errorCode: 'int16',
    protocolType: 'string? 5+ = null',
    protocolName: 'string? 5+ = null',
    assignment: 'bytes',
  },
} as const
