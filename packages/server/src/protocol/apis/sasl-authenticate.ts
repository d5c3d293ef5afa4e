/** One token of an authentication, and the server's answer to it. */
export const saslAuthenticate = {
  name: 'SaslAuthenticate',
  key: 36,
  versions: '0-2',
  flexibleFrom: 2,
  request: { authBytes: 'bytes' },
  response: {
    errorCode: 'int16',
    errorMessage: 'string? = null',
    authBytes: 'bytes',
    sessionLifetimeMs: 'int64 1+ = 0',
  },
} as const
