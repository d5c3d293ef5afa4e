/** Sets and removes passwords of users, salted by the client. */
export const alterUserScramCredentials = {
  name: 'AlterUserScramCredentials',
  key: 51,
  versions: '0',
  flexibleFrom: 0,
  request: {
    deletions: { each: { name: 'string', mechanism: 'int8' } },
    upsertions: {
      each: {
        name: 'string',
        mechanism: 'int8',
        iterations: 'int32',
        salt: 'bytes',
        saltedPassword: 'bytes',
      },
    },
  },
  response: {
    throttleTimeMs: 'int32 = 0',
    results: {
      each: { user: 'string', errorCode: 'int16', errorMessage: 'string? = null' },
    },
  },
} as const
