/** Changes single settings of topics and brokers: sets, deletes, appends or subtracts. */
export const incrementalAlterConfigs = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  versions: '0-1',
  flexibleFrom: 1,
  request: {
    resources: {
      each: {
        resourceType: 'int8',
        resourceName: 'string',
        configs: { each: { name: 'string', configOperation: 'int8', value: 'string?' } },
      },
    },
    validateOnly: 'bool',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    responses: {
      each: {
        errorCode: 'int16',
        errorMessage: 'string? = null',
        resourceType: 'int8',
        resourceName: 'string',
      },
    },
  },
} as const
