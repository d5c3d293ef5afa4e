/** What has settings: in version 0 client metrics, then resources of any type. */
export const listConfigResources = {
  name: 'ListConfigResources',
  key: 74,
  versions: '0-1',
  flexibleFrom: 0,
  request: { resourceTypes: 'int8[] 1+' },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    configResources: {
      each: { resourceName: 'string', resourceType: 'int8 1+ = 16' },
    },
  },
} as const
