/** A member is alive, and learns whether its group is being balanced anew. */
export const heartbeat = {
  name: 'Heartbeat',
  key: 12,
  versions: '0-4',
  flexibleFrom: 4,
  request: {
    groupId: 'string',
    generationId: 'int32',
    memberId: 'string',
    groupInstanceId: 'string? 3+ = null',
  },
  response: { throttleTimeMs: 'int32 1+ = 0', errorCode: 'int16' },
} as const
