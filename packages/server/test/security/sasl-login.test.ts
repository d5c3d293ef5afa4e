import { readSmallFile } from '@varve/log/files'
import { expect, test } from 'vitest'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { saslHandshake } from '../../src/protocol/apis/sasl-handshake.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { logInByScram, logInPlainly } from '../sasl-client.ts'
import { startSaslServer } from '../sasl-server.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`)

test.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'])('a user logs in by %s', async (mechanism) => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  const answer = await logInByScram(client, mechanism, 'alice', 'right')
  expect(answer).toMatchObject({ errorCode: 0, sessionLifetimeMs: 0 })
  expect((await client.call(metadata, 9, { topics: [] })).brokers).toHaveLength(1)
})

test.each([0, 1, 2])('a user logs in by PLAIN, SaslAuthenticate version %i', async (version) => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  expect((await client.call(apiVersions, 3, software)).errorCode).toBe(0)
  const answer = await logInPlainly(client, 'alice', 'right', { version })
  expect(answer).toMatchObject({ errorCode: 0, errorMessage: null })
  expect((await client.call(metadata, 9, { topics: [] })).brokers).toHaveLength(1)
})

test('after version 0 of the handshake tokens come bare', async () => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  await client.call(saslHandshake, 0, { mechanism: 'PLAIN' })
  client.sendFrame(plain('alice', 'right'))
  expect(await client.next()).toHaveLength(0)
  expect((await client.call(metadata, 9, { topics: [] })).brokers).toHaveLength(1)
})

test('a bare token that is wrong ends the connection', async () => {
  await using server = await startSaslServer()
  await using client = await WireClient.connect(server.port)
  await client.call(saslHandshake, 0, { mechanism: 'PLAIN' })
  client.sendFrame(plain('alice', 'wrong'))
  expect(await client.next()).toBeNull()
})

test('a wrong password and a user that is not there are answered alike', async () => {
  await using server = await startSaslServer()
  const answers = []
  for (const [user, password] of [
    ['alice', 'wrong'],
    ['nobody', 'right'],
  ] as const) {
    await using client = await WireClient.connect(server.port)
    answers.push(await logInPlainly(client, user, password))
    expect(await client.next()).toBeNull()
    await using other = await WireClient.connect(server.port)
    const scram = await logInByScram(other, 'SCRAM-SHA-512', user, password)
    expect(scram.errorCode).toBe(errorCodes.SASL_AUTHENTICATION_FAILED)
    expect(await other.next()).toBeNull()
  }
  expect(answers[0]?.errorCode).toBe(errorCodes.SASL_AUTHENTICATION_FAILED)
  expect(answers[1]).toEqual(answers[0])
})

test('a session that ends ends the connection, unless its client logs in again', async () => {
  await using server = await startSaslServer({ limits: { loginLifetimeMs: 400 } })
  await using faithful = await WireClient.connect(server.port)
  await using lazy = await WireClient.connect(server.port)
  for (const client of [faithful, lazy]) {
    const answer = await logInPlainly(client, 'alice', 'right')
    expect(answer.sessionLifetimeMs).toBe(400)
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect((await logInPlainly(faithful, 'alice', 'right')).errorCode).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect((await faithful.call(metadata, 9, { topics: [] })).brokers).toHaveLength(1)
  lazy.send(metadata, 9, { topics: [] })
  expect(await lazy.next()).toBeNull()
})

test('a session goes on as nobody else', async () => {
  await using server = await startSaslServer({ limits: { loginLifetimeMs: 60_000 } })
  await server.security.addUser('bob', 'secret', { iterations: 4096 })
  await using client = await WireClient.connect(server.port)
  await logInPlainly(client, 'alice', 'right')
  expect((await logInPlainly(client, 'bob', 'secret')).errorCode).toBe(
    errorCodes.SASL_AUTHENTICATION_FAILED,
  )
  expect(await client.next()).toBeNull()
})

test('users are there when the directory is served again, and passwords are not stored', async () => {
  const { SimulatedFileSystem } = await import('@varve/log/testing')
  const fs = new SimulatedFileSystem()
  {
    await using server = await startTestServer({}, fs)
    await server.security.addUser('alice', 'a-long-password')
    expect(server.security.listUsers()).toEqual([
      {
        name: 'alice',
        credentials: [
          { mechanism: 'SCRAM-SHA-256', iterations: 8192 },
          { mechanism: 'SCRAM-SHA-512', iterations: 8192 },
        ],
      },
    ])
  }
  const stored = readSmallFile(fs, '/data/varve-server', 2 ** 20)?.toString('latin1')
  expect(stored).toContain('alice')
  expect(stored).not.toContain('a-long-password')
  await using server = await startTestServer(
    { listeners: [{ protocol: 'SASL_PLAINTEXT', port: 0 }], limits: { failedLoginDelayMs: 1 } },
    fs,
  )
  await using client = await WireClient.connect(server.port)
  expect((await logInPlainly(client, 'alice', 'a-long-password')).errorCode).toBe(0)
  expect(await server.security.removeUser('alice')).toBe(true)
  expect(await server.security.removeUser('alice')).toBe(false)
  await using other = await WireClient.connect(server.port)
  expect((await logInPlainly(other, 'alice', 'a-long-password')).errorCode).not.toBe(0)
})

test('a larger request than a login needs ends the connection of a stranger only', async () => {
  await using server = await startSaslServer()
  await using stranger = await WireClient.connect(server.port)
  const topics = Array.from({ length: 500 }, (_, index) => ({
    name: `a-long-name-${index}`.repeat(4),
  }))
  const request = { topics, allowAutoTopicCreation: false }
  stranger.send(metadata, 9, request)
  expect(await stranger.next()).toBeNull()
  await using known = await WireClient.connect(server.port)
  await logInPlainly(known, 'alice', 'right')
  expect((await known.call(metadata, 9, request)).topics).toHaveLength(500)
})
