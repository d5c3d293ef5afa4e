/**
 * What a broker understands, which clients ask first. The answer has the oldest header in every
 * version, and one to a version that is not understood is in the form of version 0.
 */
export const apiVersions = {
  name: 'ApiVersions',
  key: 18,
  versions: '0-4',
  flexibleFrom: 3,
  request: { clientSoftwareName: 'string 3+ = ""', clientSoftwareVersion: 'string 3+ = ""' },
  response: {
    errorCode: 'int16',
    apiKeys: { each: { apiKey: 'int16', minVersion: 'int16', maxVersion: 'int16' } },
    throttleTimeMs: 'int32 1+ = 0',
    supportedFeatures: {
      each: { name: 'string', minVersion: 'int16', maxVersion: 'int16' },
      in: '3+',
      tag: 0,
    },
    finalizedFeaturesEpoch: 'int64 3+ tag 1 = -1',
    finalizedFeatures: {
      each: { name: 'string', maxVersionLevel: 'int16', minVersionLevel: 'int16' },
      in: '3+',
      tag: 2,
    },
    zkMigrationReady: 'bool 3+ tag 3',
  },
} as const
