/** Forgets what a group has committed in partitions that it does not read any more. */
export const offsetDelete = {
  name: 'OffsetDelete',
  key: 47,
  versions: '0',
  flexibleFrom: null,
  request: {
    groupId: 'string',
    topics: {
      each: { name: 'string', partitions: { each: { partitionIndex: 'int32' } } },
    },
  },
  response: {
    errorCode: 'int16',
    throttleTimeMs: 'int32 = 0',
    topics: {
      each: {
        name: 'string',
        partitions: { each: { partitionIndex: 'int32', errorCode: 'int16' } },
      },
    },
  },
} as const
