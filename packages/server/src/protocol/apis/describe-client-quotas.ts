/** The quotas of users and clients that a filter matches. */
export const describeClientQuotas = {
  name: 'DescribeClientQuotas',
  key: 48,
  versions: '0-1',
  flexibleFrom: 1,
  request: {
    components: {
      each: { entityType: 'string', matchType: 'int8', match: 'string?' },
    },
    strict: 'bool',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    entries: {
      each: {
        entity: { each: { entityType: 'string', entityName: 'string?' } },
        values: { each: { key: 'string', value: 'float64' } },
      },
      nullable: '0+',
    },
  },
} as const
