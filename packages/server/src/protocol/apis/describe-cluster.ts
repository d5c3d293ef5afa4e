/** The brokers, and which of them is the controller. */
export const describeCluster = {
  name: 'DescribeCluster',
  key: 60,
  versions: '0-2',
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: 'bool = false',
    endpointType: 'int8 1+ = 1',
    includeFencedBrokers: 'bool 2+ = false',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    endpointType: 'int8 1+ = 1',
    clusterId: 'string',
    controllerId: 'int32 = -1',
    brokers: {
      each: {
        brokerId: 'int32',
        host: 'string',
        port: 'int32',
        rack: 'string? = null',
        isFenced: 'bool 2+ = false',
      },
    },
    clusterAuthorizedOperations: 'int32 = -2147483648',
  },
} as const
