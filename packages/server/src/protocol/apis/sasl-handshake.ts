/**
 * Chooses how to authenticate. After version 0 tokens follow as bare frames, after version 1 in
 * SaslAuthenticate.
 */
export const saslHandshake = {
  name: 'SaslHandshake',
  key: 17,
  versions: '0-1',
  flexibleFrom: null,
  request: { mechanism: 'string' },
  response: { errorCode: 'int16', mechanisms: 'string[]' },
} as const
