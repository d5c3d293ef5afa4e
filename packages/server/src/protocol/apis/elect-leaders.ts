/** Chooses leaders of partitions anew; null stands for all partitions. */
export const electLeaders = {
  name: 'ElectLeaders',
  key: 43,
  versions: '0-2',
  flexibleFrom: 2,
  request: {
    electionType: 'int8 1+ = 0',
    topicPartitions: { each: { topic: 'string', partitions: 'int32[]' }, nullable: '0+' },
    timeoutMs: 'int32 = 60000',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16 1+ = 0',
    replicaElectionResults: {
      each: {
        topic: 'string',
        partitionResult: {
          each: { partitionId: 'int32', errorCode: 'int16', errorMessage: 'string? = null' },
        },
      },
    },
  },
} as const
