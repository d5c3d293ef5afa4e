/** Moves replicas to other brokers; replicas that are null call a move off. */
export const alterPartitionReassignments = {
  name: 'AlterPartitionReassignments',
  key: 45,
  versions: '0-1',
  flexibleFrom: 0,
  request: {
    timeoutMs: 'int32 = 60000',
    allowReplicationFactorChange: 'bool 1+ = true',
    topics: {
      each: {
        name: 'string',
        partitions: { each: { partitionIndex: 'int32', replicas: 'int32[]? = null' } },
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    allowReplicationFactorChange: 'bool 1+ = true',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    responses: {
      each: {
        name: 'string',
        partitions: {
          each: { partitionIndex: 'int32', errorCode: 'int16', errorMessage: 'string? = null' },
        },
      },
    },
  },
} as const
