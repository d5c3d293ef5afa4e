import { expect, test } from 'vitest'
import { saslAuthenticate } from '../../src/protocol/apis/sasl-authenticate.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startSaslServer } from '../sasl-server.ts'
import { WireClient } from '../wire-client.ts'

const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`)

test('tokens without a handshake end the connection', async () => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  const answer = await client.call(saslAuthenticate, 2, { authBytes: plain('alice', 'right') })
  expect(answer.errorCode).toBe(errorCodes.ILLEGAL_SASL_STATE)
  expect(await client.next()).toBeNull()
})
