import { pbkdf2Sync } from 'node:crypto'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { ServerState } from '../../src/base/server-state.ts'
import { alterUserScramCredentialsHandler } from '../../src/handlers/alter-user-scram-credentials.ts'
import { describeUserScramCredentialsHandler } from '../../src/handlers/describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from '../../src/protocol/apis/alter-user-scram-credentials.ts'
import { describeUserScramCredentials } from '../../src/protocol/apis/describe-user-scram-credentials.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { SecurityStore } from '../../src/security/security-store.ts'
import { logInByScram } from '../sasl-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const salt = Buffer.from('salt of a client')
const upsertion = (name: string, changes: object = {}) => ({
  ...{ name, mechanism: 1, iterations: 4096, salt },
  saltedPassword: pbkdf2Sync('pencil', salt, 4096, 32, 'sha256'),
  ...changes,
})

test('a user whose password a client has salted logs in, until it is removed', async () => {
  const listeners = [{ port: 0 }, { protocol: 'SASL_PLAINTEXT', port: 0 }] as const
  await using server = await startTestServer({ listeners, limits: { failedLoginDelayMs: 1 } })
  await using admin = await WireClient.connect(server.port)
  const altered = await admin.call(alterUserScramCredentials, 0, {
    ...{ deletions: [], upsertions: [upsertion('alice')] },
  })
  expect(altered.results).toEqual([{ user: 'alice', errorCode: 0, errorMessage: null }])
  const saslPort = server.addresses[1]?.port ?? 0
  await using client = await WireClient.connect(saslPort)
  expect((await logInByScram(client, 'SCRAM-SHA-256', 'alice', 'pencil')).errorCode).toBe(0)
  const { results } = await admin.call(describeUserScramCredentials, 0, { users: null })
  expect(results).toEqual([
    {
      ...{ user: 'alice', errorCode: 0, errorMessage: null },
      credentialInfos: [{ mechanism: 1, iterations: 4096 }],
    },
  ])
  const deletions = [{ name: 'alice', mechanism: 1 }]
  await admin.call(alterUserScramCredentials, 0, { deletions, upsertions: [] })
  await using other = await WireClient.connect(saslPort)
  expect((await logInByScram(other, 'SCRAM-SHA-256', 'alice', 'pencil')).errorCode).not.toBe(0)
})

test('what cannot be changed is told of each user, and changes nothing of it', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const { results } = await client.call(alterUserScramCredentials, 0, {
    deletions: [
      { name: 'nobody', mechanism: 1 },
      { name: 'odd', mechanism: 7 },
    ],
    upsertions: [
      upsertion('fine'),
      upsertion('few', { iterations: 4095 }),
      upsertion('many', { iterations: 16_385 }),
      upsertion('short', { saltedPassword: Buffer.alloc(31) }),
      upsertion(''),
      upsertion('twice'),
      upsertion('twice'),
      upsertion('half'),
      upsertion('half', { mechanism: 2 }),
    ],
  })
  expect(Object.fromEntries(results.map(({ user, errorCode }) => [user, errorCode]))).toEqual({
    nobody: errorCodes.RESOURCE_NOT_FOUND,
    odd: errorCodes.UNSUPPORTED_SASL_MECHANISM,
    fine: 0,
    few: errorCodes.UNACCEPTABLE_CREDENTIAL,
    many: errorCodes.UNACCEPTABLE_CREDENTIAL,
    short: errorCodes.UNACCEPTABLE_CREDENTIAL,
    '': errorCodes.UNACCEPTABLE_CREDENTIAL,
    twice: errorCodes.DUPLICATE_RESOURCE,
    half: errorCodes.UNACCEPTABLE_CREDENTIAL,
  })
  expect(server.security.listUsers().map(({ name }) => name)).toEqual(['fine'])
  const asked = ['fine', 'nobody', 'fine'].map((name) => ({ name }))
  const described = await client.call(describeUserScramCredentials, 0, { users: asked })
  expect(described.results.map(({ errorCode }) => errorCode)).toEqual([
    errorCodes.DUPLICATE_RESOURCE,
    errorCodes.RESOURCE_NOT_FOUND,
  ])
})

test('users are the business of those who may alter the cluster', async () => {
  await using server = await startTestServer({ accessWithoutAcls: 'deny' })
  await using client = await WireClient.connect(server.port)
  const upsertions = [upsertion('alice')]
  const { results } = await client.call(alterUserScramCredentials, 0, { deletions: [], upsertions })
  expect(results[0]?.errorCode).toBe(errorCodes.CLUSTER_AUTHORIZATION_FAILED)
  const described = await client.call(describeUserScramCredentials, 0, { users: null })
  expect(described.errorCode).toBe(errorCodes.CLUSTER_AUTHORIZATION_FAILED)
  expect(server.security.listUsers()).toEqual([])
})

test('strangers see and change no users', () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const store = new SecurityStore(ServerState.load(fs, '/data'))
  expect(alterUserScramCredentialsHandler(store).isForStrangers).toBe(false)
  expect(describeUserScramCredentialsHandler(store).isForStrangers).toBe(false)
})
