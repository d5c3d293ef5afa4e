/** Offsets of a group that become visible when the transaction commits. */
export const txnOffsetCommit = {
  name: 'TxnOffsetCommit',
  key: 28,
  versions: '0-5',
  flexibleFrom: 3,
  request: {
    transactionalId: 'string',
    groupId: 'string',
    producerId: 'int64',
    producerEpoch: 'int16',
    generationId: 'int32 3+ = -1',
    memberId: 'string 3+ = ""',
    groupInstanceId: 'string? 3+ = null',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: 'int32 2+ = -1',
            committedMetadata: 'string?',
          },
        },
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    topics: {
      each: {
        name: 'string',
        partitions: { each: { partitionIndex: 'int32', errorCode: 'int16' } },
      },
    },
  },
} as const
