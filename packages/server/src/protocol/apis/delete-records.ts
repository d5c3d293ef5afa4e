/** Raises the first offset of partitions; -1 stands for their end. */
export const deleteRecords = {
  name: 'DeleteRecords',
  key: 21,
  versions: '0-2',
  flexibleFrom: 2,
  request: {
    topics: {
      each: {
        name: 'string',
        partitions: { each: { partitionIndex: 'int32', offset: 'clampedInt64' } },
      },
    },
    timeoutMs: 'int32',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: { partitionIndex: 'int32', lowWatermark: 'int64', errorCode: 'int16' },
        },
      },
    },
  },
} as const
