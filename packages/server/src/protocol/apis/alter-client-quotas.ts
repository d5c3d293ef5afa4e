/** Sets and removes quotas of users and clients. */
export const alterClientQuotas = {
  name: 'AlterClientQuotas',
  key: 49,
  versions: '0-1',
  flexibleFrom: 1,
  request: {
    entries: {
      each: {
        entity: { each: { entityType: 'string', entityName: 'string?' } },
        ops: { each: { key: 'string', value: 'float64', remove: 'bool' } },
      },
    },
    validateOnly: 'bool',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    entries: {
      each: {
        errorCode: 'int16',
        errorMessage: 'string? = null',
        entity: { each: { entityType: 'string', entityName: 'string?' } },
      },
    },
  },
} as const
