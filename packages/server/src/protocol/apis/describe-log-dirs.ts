/** The directories of a broker, and what partitions take in them; topics that are null are all. */
export const describeLogDirs = {
  name: 'DescribeLogDirs',
  key: 35,
  versions: '0-5',
  flexibleFrom: 2,
  request: {
    topics: { each: { topic: 'string', partitions: 'int32[]' }, nullable: '0+' },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16 3+ = 0',
    results: {
      each: {
        errorCode: 'int16',
        logDir: 'string',
        topics: {
          each: {
            name: 'string',
            partitions: {
              each: {
                partitionIndex: 'int32',
                partitionSize: 'int64',
                offsetLag: 'int64',
                isFutureKey: 'bool',
              },
            },
          },
        },
        totalBytes: 'int64 4+ = -1',
        usableBytes: 'int64 4+ = -1',
        isCordoned: 'bool 5+ = false',
      },
    },
  },
} as const
