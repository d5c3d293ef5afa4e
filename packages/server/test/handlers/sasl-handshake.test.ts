import { expect, test } from 'vitest'
import { saslAuthenticate } from '../../src/protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/apis/sasl-handshake.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { logInPlainly } from '../sasl-client.ts'
import { startSaslServer } from '../sasl-server.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('a mechanism that is not offered is answered with those that are', async () => {
  await using server = await startTestServer({
    listeners: [{ protocol: 'SASL_PLAINTEXT', port: 0, saslMechanisms: ['SCRAM-SHA-512'] }],
  })
  await using client = await WireClient.connect(server.port)
  const answer = await client.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  expect(answer).toEqual({
    errorCode: errorCodes.UNSUPPORTED_SASL_MECHANISM,
    mechanisms: ['SCRAM-SHA-512'],
  })
  expect(await client.next()).toBeNull()
})

test('a listener without logins says so', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const handshake = await client.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  expect(handshake).toEqual({ errorCode: errorCodes.ILLEGAL_SASL_STATE, mechanisms: [] })
  const token = await client.call(saslAuthenticate, 2, { authBytes: Buffer.alloc(0) })
  expect(token.errorCode).toBe(errorCodes.ILLEGAL_SASL_STATE)
})

test('whoever has logged in cannot do so again where sessions do not end', async () => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  await logInPlainly(client, 'alice', 'right')
  const handshake = await client.call(saslHandshake, 1, { mechanism: 'PLAIN' })
  expect(handshake.errorCode).toBe(errorCodes.ILLEGAL_SASL_STATE)
})
