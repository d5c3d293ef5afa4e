/** The moves of replicas that are under way; topics that are null are all. */
export const listPartitionReassignments = {
  name: 'ListPartitionReassignments',
  key: 46,
  versions: '0',
  flexibleFrom: 0,
  request: {
    timeoutMs: 'int32 = 60000',
    topics: { each: { name: 'string', partitionIndexes: 'int32[]' }, nullable: '0+' },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    topics: {
      each: {
        name: 'string',
        partitions: {
          each: {
            partitionIndex: 'int32',
            replicas: 'int32[]',
            addingReplicas: 'int32[]',
            removingReplicas: 'int32[]',
          },
        },
      },
    },
  },
} as const
