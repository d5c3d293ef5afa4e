import { expect, test } from 'vitest'
import * as server from '../src/index.ts'

test('the package offers exactly these names', () => {
  expect(Object.keys(server).sort()).toEqual([
    'CertificateError',
    'CorruptServerStateError',
    'FrameSizeError',
    'FrameSplitter',
    'InsecureListenerError',
    'ListenError',
    'MalformedMessageError',
    'UnknownAclError',
    'UnsupportedApiError',
    'apiByKey',
    'apiNamed',
    'apis',
    'configureServer',
    'decodeRequest',
    'decodeResponse',
    'encodeRequest',
    'encodeResponse',
    'errorCodes',
    'errorMessages',
    'errorNameOf',
    'isRetriable',
    'openRequest',
    'parseAddress',
    'parseAssignment',
    'parseProperties',
    'readSecurity',
    'securityOf',
    'securityOfCluster',
    'startServer',
  ])
})
