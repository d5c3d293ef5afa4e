import { expect, test } from 'vitest'
import { saslAuthenticate } from '../../src/protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/apis/sasl-handshake.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startSaslServer } from '../sasl-server.ts'
import { WireClient } from '../wire-client.ts'

test.each([
  ['for somebody else', '\0alice\0right', 'bob'],
  ['without a password', '\0alice\0', ''],
  ['without a user', '\0\0right', ''],
  ['without separators', 'alice right', ''],
  ['that is empty', '', ''],
])('a token of PLAIN %s fails', async (_, text, actsFor) => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  await client.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  const answer = await client.call(saslAuthenticate, 2, { authBytes: Buffer.from(actsFor + text) })
  expect(answer.errorCode).toBe(errorCodes.SASL_AUTHENTICATION_FAILED)
  expect(await client.next()).toBeNull()
})
