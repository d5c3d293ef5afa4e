/**
 * Offsets by time, and the first and last ones, which negative timestamps stand for. Version 0
 * answers with a list of offsets and no timestamp.
 */
export const listOffsets = {
  name: 'ListOffsets',
  key: 2,
  versions: '0-11',
  flexibleFrom: 6,
  request: {
    replicaId: 'int32 = -1',
    isolationLevel: 'int8 2+ = 0',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            currentLeaderEpoch: 'int32 4+ = -1',
            timestamp: 'clampedInt64',
            maxNumOffsets: 'int32 0 = 1',
          },
        },
      },
    },
    timeoutMs: 'int32 10+ = 0',
  },
  response: {
    throttleTimeMs: 'int32 2+ = 0',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            errorCode: 'int16',
            oldStyleOffsets: 'int64[] 0',
            timestamp: 'int64 1+ = -1',
            offset: 'int64 1+ = -1',
            leaderEpoch: 'int32 4+ = -1',
          },
        },
      },
    },
  },
} as const
