/** Where the records of a leader's epoch end. */
export const offsetForLeaderEpoch = {
  name: 'OffsetForLeaderEpoch',
  key: 23,
  versions: '0-4',
  flexibleFrom: 4,
  request: {
    replicaId: 'int32 3+ = -2',
    topics: {
      each: {
        topic: 'string',
        partitions: {
          each: {
            partition: 'int32',
            currentLeaderEpoch: 'int32 2+ = -1',
            leaderEpoch: 'int32',
          },
        },
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 2+ = 0',
    topics: {
      each: {
        topic: 'string',
        partitions: {
          each: {
            errorCode: 'int16',
            partition: 'int32',
            leaderEpoch: 'int32 1+ = -1',
            endOffset: 'int64 = -1',
          },
        },
      },
    },
  },
} as const
