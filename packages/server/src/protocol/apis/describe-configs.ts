/** Settings of topics and brokers, with where each comes from. */
export const describeConfigs = {
  name: 'DescribeConfigs',
  key: 32,
  versions: '0-4',
  flexibleFrom: 4,
  request: {
    resources: {
      each: { resourceType: 'int8', resourceName: 'string', configurationKeys: 'string[]?' },
    },
    includeSynonyms: 'bool 1+ = false',
    includeDocumentation: 'bool 3+ = false',
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: {
      each: {
        errorCode: 'int16',
        errorMessage: 'string? = null',
        resourceType: 'int8',
        resourceName: 'string',
        configs: {
          each: {
            name: 'string',
            value: 'string?',
            readOnly: 'bool',
            isDefault: 'bool 0 = false',
            configSource: 'int8 1+ = -1',
            isSensitive: 'bool',
            synonyms: {
              each: { name: 'string', value: 'string?', source: 'int8' },
              in: '1+',
            },
            configType: 'int8 3+ = 0',
            documentation: 'string? 3+ = null',
          },
        },
      },
    },
  },
} as const
