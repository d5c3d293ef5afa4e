/** Adds access rules. */
export const createAcls = {
  name: 'CreateAcls',
  key: 30,
  versions: '0-3',
  flexibleFrom: 2,
  request: {
    creations: {
      each: {
        resourceType: 'int8',
        resourceName: 'string',
        resourcePatternType: 'int8 1+ = 3',
        principal: 'string',
        host: 'string',
        operation: 'int8',
        permissionType: 'int8',
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: { each: { errorCode: 'int16', errorMessage: 'string? = null' } },
  },
} as const
