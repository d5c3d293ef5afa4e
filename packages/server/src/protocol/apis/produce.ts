/**
 * Appends record batches. Up to version 2 they may be of the formats before record batches; from 13
 * on topics go by their ids. With `acks` 0 nothing is answered.
 */
export const produce = {
  name: 'Produce',
  key: 0,
  versions: '0-13',
  flexibleFrom: 9,
  request: {
    transactionalId: 'string? 3+ = null',
    acks: 'int16',
    timeoutMs: 'int32',
    topicData: {
      each: {
        name: 'string 0-12 = ""',
        topicId: 'uuid 13+ = 0',
        partitionData: { each: { index: 'int32', records: 'records?' } },
      },
    },
  },
  response: {
    responses: {
      each: {
        name: 'string 0-12 = ""',
        topicId: 'uuid 13+ = 0',
        partitionResponses: {
          each: {
            index: 'int32',
            errorCode: 'int16',
            baseOffset: 'int64',
            logAppendTimeMs: 'int64 2+ = -1',
            logStartOffset: 'int64 5+ = -1',
            recordErrors: {
              each: { batchIndex: 'int32', batchIndexErrorMessage: 'string? = null' },
              in: '8+',
            },
            errorMessage: 'string? 8+ = null',
            currentLeader: {
              struct: { leaderId: 'int32 = -1', leaderEpoch: 'int32 = -1' },
              in: '10+',
              tag: 0,
            },
          },
        },
      },
    },
    throttleTimeMs: 'int32 1+ = 0',
    nodeEndpoints: {
      each: { nodeId: 'int32', host: 'string', port: 'int32', rack: 'string? = null' },
      in: '10+',
      tag: 0,
    },
  },
} as const
