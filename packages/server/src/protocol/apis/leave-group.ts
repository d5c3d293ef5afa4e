/** A member leaves; from version 3 on several, static ones by the name of their instance. */
export const leaveGroup = {
  name: 'LeaveGroup',
  key: 13,
  versions: '0-5',
  flexibleFrom: 4,
  request: {
    groupId: 'string',
    memberId: 'string 0-2 = ""',
    members: {
      each: {
        memberId: 'string',
        groupInstanceId: 'string? = null',
        reason: 'string? 5+ = null',
      },
      in: '3+',
    },
  },
  response: {
    throttleTimeMs: 'int32 1+ = 0',
    errorCode: 'int16',
    members: {
      each: { memberId: 'string', groupInstanceId: 'string?', errorCode: 'int16' },
      in: '3+',
    },
  },
} as const
