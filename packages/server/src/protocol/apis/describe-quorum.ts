/** Who keeps the cluster's metadata, and how far each has come. */
export const describeQuorum = {
  name: 'DescribeQuorum',
  key: 55,
  versions: '0-2',
  flexibleFrom: 0,
  request: {
    topics: {
      each: { topicName: 'string', partitions: { each: { partitionIndex: 'int32' } } },
    },
  },
  response: {
    errorCode: 'int16',
    errorMessage: 'string? 2+ = null',
    topics: {
      each: {
        topicName: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            errorCode: 'int16',
            errorMessage: 'string? 2+ = null',
            leaderId: 'int32',
            leaderEpoch: 'int32',
            highWatermark: 'int64',
            currentVoters: {
              each: {
                replicaId: 'int32',
                replicaDirectoryId: 'uuid 2+ = 0',
                logEndOffset: 'int64',
                lastFetchTimestamp: 'int64 1+ = -1',
                lastCaughtUpTimestamp: 'int64 1+ = -1',
              },
            },
            observers: {
              each: {
                replicaId: 'int32',
                replicaDirectoryId: 'uuid 2+ = 0',
                logEndOffset: 'int64',
                lastFetchTimestamp: 'int64 1+ = -1',
                lastCaughtUpTimestamp: 'int64 1+ = -1',
              },
            },
          },
        },
      },
    },
    nodes: {
      each: {
        nodeId: 'int32',
        listeners: { each: { name: 'string', host: 'string', port: 'uint16' } },
      },
      in: '2+',
    },
  },
} as const
