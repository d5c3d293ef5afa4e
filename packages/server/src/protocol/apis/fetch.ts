/**
 * Reads record batches, and waits for them. From version 7 on a session can remember what is
 * fetched; from 13 on topics go by their ids. Versions before 4 would have to be answered in the
 * formats before record batches.
 */
export const fetch = {
  name: 'Fetch',
  key: 1,
  versions: '4-18',
  flexibleFrom: 12,
  request: {
    clusterId: 'string? 12+ tag 0',
    replicaId: 'int32 0-14 = -1',
    replicaState: {
      struct: { replicaId: 'int32 = -1', replicaEpoch: 'int64 = -1' },
      in: '15+',
      tag: 1,
    },
    maxWaitMs: 'int32',
    minBytes: 'int32',
    maxBytes: 'int32 = 2147483647',
    isolationLevel: 'int8 = 0',
    sessionId: 'int32 7+ = 0',
    sessionEpoch: 'int32 7+ = -1',
    topics: {
      each: {
        topic: 'string 0-12 = ""',
        topicId: 'uuid 13+ = 0',
        partitions: {
          each: {
            partition: 'int32',
            currentLeaderEpoch: 'int32 9+ = -1',
            fetchOffset: 'clampedInt64',
            lastFetchedEpoch: 'int32 12+ = -1',
            logStartOffset: 'int64 5+ = -1',
            partitionMaxBytes: 'int32',
            replicaDirectoryId: 'uuid 17+ tag 0',
            highWatermark: 'clampedInt64 18+ tag 1 = 9007199254740991',
          },
        },
      },
    },
    forgottenTopicsData: {
      each: { topic: 'string 7-12 = ""', topicId: 'uuid 13+ = 0', partitions: 'int32[]' },
      in: '7+',
    },
    rackId: 'string 11+ = ""',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16 7+ = 0',
    sessionId: 'int32 7+ = 0',
    responses: {
      each: {
        topic: 'string 0-12 = ""',
        topicId: 'uuid 13+ = 0',
        partitions: {
          each: {
            partitionIndex: 'int32',
            errorCode: 'int16',
            highWatermark: 'int64',
            lastStableOffset: 'int64 = -1',
            logStartOffset: 'int64 5+ = -1',
            divergingEpoch: {
              struct: { epoch: 'int32 = -1', endOffset: 'int64 = -1' },
              in: '12+',
              tag: 0,
            },
            currentLeader: {
              struct: { leaderId: 'int32 = -1', leaderEpoch: 'int32 = -1' },
              in: '12+',
              tag: 1,
            },
            snapshotId: {
              struct: { endOffset: 'int64 = -1', epoch: 'int32 = -1' },
              in: '12+',
              tag: 2,
            },
            abortedTransactions: {
              each: { producerId: 'int64', firstOffset: 'int64' },
              nullable: '0+',
            },
            preferredReadReplica: 'int32 11+ = -1',
            records: 'records?',
          },
        },
      },
    },
    nodeEndpoints: {
      each: { nodeId: 'int32', host: 'string', port: 'int32', rack: 'string? = null' },
      in: '16+',
      tag: 0,
    },
  },
} as const
