/** Moves replicas to other directories of their broker. */
export const alterReplicaLogDirs = {
  name: 'AlterReplicaLogDirs',
  key: 34,
  versions: '0-2',
  flexibleFrom: 2,
  request: {
    dirs: {
      each: {
        path: 'string',
        topics: { each: { name: 'string', partitions: 'int32[]' } },
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: {
      each: {
        topicName: 'string',
        partitions: { each: { partitionIndex: 'int32', errorCode: 'int16' } },
      },
    },
  },
} as const
