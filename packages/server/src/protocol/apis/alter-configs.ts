/** Replaces all settings of topics and brokers. */
export const alterConfigs = {
  name: 'AlterConfigs',
  key: 33,
  versions: '0-2',
  flexibleFrom: 2,
  request: {
    resources: {
      each: {
        resourceType: 'int8',
        resourceName: 'string',
        configs: { each: { name: 'string', value: 'string?' } },
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
