/**
 * How far groups have come; topics that are null stand for all. Up to version 7 of one group, then
 * of several; from 10 on topics go by their ids.
 */
export const offsetFetch = {
  name: 'OffsetFetch',
  key: 9,
  versions: '0-10',
  flexibleFrom: 6,
  request: {
    groupId: 'string 0-7 = ""',
    topics: {
      each: { name: 'string', partitionIndexes: 'int32[]' },
      in: '0-7',
      nullable: '2-7',
    },
    groups: {
      each: {
        groupId: 'string',
        memberId: 'string? 9+ = null',
        memberEpoch: 'int32 9+ = -1',
        topics: {
          each: { name: 'string 8-9 = ""', topicId: 'uuid 10+ = 0', partitionIndexes: 'int32[]' },
          nullable: '8+',
        },
      },
      in: '8+',
    },
    requireStable: 'bool 7+ = false',
  },
  response: {
    throttleTimeMs: 'int32 3+ = 0',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: 'int32 5+ = -1',
            metadata: 'string?',
            errorCode: 'int16',
          },
        },
      },
      in: '0-7',
    },
    errorCode: 'int16 2-7 = 0',
    groups: {
      each: {
        groupId: 'string',
        topics: {
          each: {
            name: 'string 8-9 = ""',
            topicId: 'uuid 10+ = 0',
            partitions: {
              each: {
                partitionIndex: 'int32',
                committedOffset: 'int64',
                committedLeaderEpoch: 'int32 = -1',
                metadata: 'string?',
                errorCode: 'int16',
              },
            },
          },
        },
        errorCode: 'int16 = 0',
      },
      in: '8+',
    },
  },
} as const
