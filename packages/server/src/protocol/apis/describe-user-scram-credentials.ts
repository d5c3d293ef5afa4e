/** With which mechanisms users can authenticate, but no secrets; null stands for all users. */
export const describeUserScramCredentials = {
  name: 'DescribeUserScramCredentials',
  key: 50,
  versions: '0',
  flexibleFrom: 0,
  request: { users: { each: { name: 'string' }, nullable: '0+' } },
  response: {
    throttleTimeMs: 'int32 = 0',
    errorCode: 'int16',
    errorMessage: 'string? = null',
    results: {
      each: {
        user: 'string',
        errorCode: 'int16',
        errorMessage: 'string? = null',
        credentialInfos: { each: { mechanism: 'int8', iterations: 'int32' } },
      },
    },
  },
} as const
