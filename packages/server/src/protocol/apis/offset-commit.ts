/** Notes how far a group has come. From version 10 on topics go by their ids. */
export const offsetCommit = {
  name: 'OffsetCommit',
  key: 8,
  versions: '0-10',
  flexibleFrom: 8,
  request: {
    groupId: 'string',
    generationIdOrMemberEpoch: 'int32 1+ = -1',
    memberId: 'string 1+ = ""',
    groupInstanceId: 'string? 7+ = null',
    retentionTimeMs: 'int64 2-4 = -1',
    topics: {
      each: {
        name: 'string 0-9 = ""',
        topicId: 'uuid 10+ = 0',
        partitions: {
          each: {
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: 'int32 6+ = -1',
            commitTimestamp: 'int64 1 = -1',
            committedMetadata: 'string?',
          },
        },
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 3+ = 0',
    topics: {
      each: {
        name: 'string 0-9 = ""',
        topicId: 'uuid 10+ = 0',
        partitions: { each: { partitionIndex: 'int32', errorCode: 'int16' } },
      },
    },
  },
} as const
