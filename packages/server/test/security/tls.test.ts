import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, expect, test } from 'vitest'
import type { TlsListenerOptions } from '../../src/base/listener-options.ts'
import { CertificateError } from '../../src/base/server-errors.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { readTlsMaterial } from '../../src/security/tls-material.ts'
import type { Server } from '../../src/server.ts'
import { commonName, makeAuthority, type Subject, writeCertificate } from '../certificates.ts'
import { ended } from '../ended.ts'
import { fetchFrom, producedBatch, produceTo, valued, valuesIn } from '../produced-batch.ts'
import { logInByScram } from '../sasl-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const directory = mkdtempSync(join(tmpdir(), 'varve-tls-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const authority = makeAuthority()
const caFile = join(directory, 'ca.pem')
writeFileSync(caFile, authority.certificate)
const ca = authority.certificate
const files = writeCertificate(directory, 'server', authority.issue([[commonName, 'server']]))

function startTlsServer(
  tls: TlsListenerOptions = {},
  protocol: 'SSL' | 'SASL_SSL' = 'SSL',
): Promise<Server> {
  return startTestServer({ listeners: [{ protocol, port: 0, tls: { ...files, ...tls } }] })
}

const named = (name: string): Subject => [
  ['2.5.4.10', 'Example'],
  [commonName, name],
]

/** What the rules say of a client is seen in what it sees. */
async function seesTopics(server: Server, options: object): Promise<readonly (string | null)[]> {
  await using client = await WireClient.connectSecurely(server.port, { ca, ...options })
  const { topics } = await client.call(metadata, 9, { topics: null })
  return topics.map(({ name }) => name)
}

test('a listener of SSL serves those who trust its certificate', async () => {
  await using server = await startTlsServer()
  await using client = await WireClient.connectSecurely(server.port, { ca })
  expect((await client.call(apiVersions, 0, {})).errorCode).toBe(0)
  await expect(WireClient.connectSecurely(server.port, {})).rejects.toThrow()
  await using plain = await WireClient.connect(server.port)
  plain.send(apiVersions, 0, {})
  await plain.next()
  expect(plain.socket.destroyed || plain.socket.readableEnded).toBe(true)
})

test('large batches come through a listener of SSL as they were sent', async () => {
  await using server = await startTlsServer()
  await server.varve.createTopic('orders')
  await using client = await WireClient.connectSecurely(server.port, { ca })
  const values = ['a', 'b', 'c'].map((letter) => letter.repeat(500_000))
  for (const value of values) {
    await produceTo(client, { topic: 'orders', records: producedBatch(valued(value)).bytes })
  }
  const found: (string | null)[] = []
  for (const fetchOffset of [0, 2]) {
    found.push(...valuesIn((await fetchFrom(client, { topic: 'orders', fetchOffset })).records))
  }
  expect(found.map((value) => value === values.shift())).toEqual([true, true, true])
})

test('a client is who its certificate says, as Kafka writes it', async () => {
  await using server = await startTlsServer({ caFile, clientCertificates: 'required' })
  await server.varve.createTopic('orders')
  await server.security.addAcls([
    {
      ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'literal', host: '*' },
      ...{ principal: 'User:CN=billing,O=Example', operation: 'read', permission: 'allow' },
    },
  ])
  const { certificate: cert, key } = authority.issue(named('billing'))
  expect(await seesTopics(server, { cert, key })).toEqual(['orders'])
  const other = authority.issue(named('other'))
  expect(await seesTopics(server, { cert: other.certificate, key: other.key })).toEqual([])
})

test.each(['required', 'requested'] as const)(
  'where certificates are %s, one of another authority is refused',
  async (clientCertificates) => {
    await using server = await startTlsServer({ caFile, clientCertificates })
    const { certificate: cert, key } = makeAuthority('Another').issue(named('billing'))
    const seen = seesTopics(server, { cert, key })
    await expect(seen).rejects.toThrow()
  },
)

test('a client without a certificate is refused, or anonymous where they are only requested', async () => {
  await using strict = await startTlsServer({ caFile, clientCertificates: 'required' })
  await expect(seesTopics(strict, {})).rejects.toThrow()
  await using lenient = await startTlsServer({ caFile, clientCertificates: 'requested' })
  await lenient.varve.createTopic('orders')
  expect(await seesTopics(lenient, {})).toEqual(['orders'])
})

test('a session is not resumed', async () => {
  await using server = await startTlsServer({ caFile, clientCertificates: 'required' })
  const { certificate: cert, key } = authority.issue(named('billing'))
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    await using first = await WireClient.connectSecurely(server.port, { ca, cert, key, maxVersion })
    await first.call(apiVersions, 0, {})
    const session = (first.socket as TLSSocket).getSession()
    const again = { ca, cert, key, maxVersion, ...(session !== undefined && { session }) }
    await using second = await WireClient.connectSecurely(server.port, again)
    await second.call(apiVersions, 0, {})
    expect((second.socket as TLSSocket).isSessionReused()).toBe(false)
  }
})

test('users log in over TLS', async () => {
  await using server = await startTlsServer({}, 'SASL_SSL')
  await server.security.addUser('alice', 'secret', { iterations: 4096 })
  await using client = await WireClient.connectSecurely(server.port, { ca })
  expect((await logInByScram(client, 'SCRAM-SHA-512', 'alice', 'secret')).errorCode).toBe(0)
  expect((await client.call(metadata, 9, { topics: [] })).brokers).toHaveLength(1)
})

test('a renewed certificate is shown after it is loaded again, and connections go on', async () => {
  const own = writeCertificate(directory, 'renewed', authority.issue([[commonName, 'first']]))
  await using server = await startTlsServer(own)
  await using before = await WireClient.connectSecurely(server.port, { ca })
  const nameOf = (client: WireClient) =>
    (client.socket as TLSSocket).getPeerCertificate().subject.CN
  expect(nameOf(before)).toBe('first')
  expect(server.reloadCertificates()).toEqual([])
  writeCertificate(directory, 'renewed', authority.issue([[commonName, 'second']]))
  expect(server.reloadCertificates()).toEqual(['SSL'])
  await using after = await WireClient.connectSecurely(server.port, { ca })
  expect(nameOf(after)).toBe('second')
  expect((await before.call(apiVersions, 0, {})).errorCode).toBe(0)
  writeFileSync(own.certificateFile, 'damaged')
  expect(() => server.reloadCertificates()).toThrow(CertificateError)
  await using still = await WireClient.connectSecurely(server.port, { ca })
  expect(nameOf(still)).toBe('second')
})

test('a server that closes waits for no handshake, and nobody comes in by one', async () => {
  await using server = await startTlsServer()
  const socket = connect({ host: '127.0.0.1', port: server.port })
  await once(socket, 'connect')
  // By now the server has accepted it too.
  await (await WireClient.connectSecurely(server.port, { ca }))[Symbol.asyncDispose]()
  await server.close()
  const client = connectTls({ socket, ca, host: '127.0.0.1' })
  let isSecure = false
  client.on('secureConnect', () => {
    isSecure = true
  })
  client.on('error', () => undefined)
  await ended(socket)
  expect(isSecure).toBe(false)
})

test('files that are missing, or do not belong together, are named', async () => {
  const { keyFile } = writeCertificate(directory, 'other', authority.issue([[commonName, 'other']]))
  expect(() => readTlsMaterial({ ...files, keyFile })).toThrow(CertificateError)
  const missing = join(directory, 'missing.pem')
  expect(() => readTlsMaterial({ certificateFile: missing })).toThrow(missing)
  await expect(startTlsServer({ caFile: missing })).rejects.toBeInstanceOf(CertificateError)
})
