/** Gives topics more partitions: `count` is how many there shall be. */
export const createPartitions = {
  name: 'CreatePartitions',
  key: 37,
  versions: '0-3',
  flexibleFrom: 2,
  request: {
    topics: {
      each: {
        name: 'string',
        count: 'int32',
        assignments: { each: { brokerIds: 'int32[]' }, nullable: '0+' },
      },
    },
    timeoutMs: 'int32',
    validateOnly: 'bool',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: {
      each: { name: 'string', errorCode: 'int16', errorMessage: 'string? = null' },
    },
  },
} as const
