import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import {
  ClusterAuthenticationError,
  type ClusterOptions,
  ClusterUnavailableError,
  openVarve,
} from '@varve/broker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fresh, numbered, valuesIn } from '../../packages/broker/test/contract/contract-home.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => describeSecurity(release))

/** A key and a certificate for it, of nobody but itself. */
function makeCertificate(directory: string): { readonly key: string; readonly ca: string } {
  const [key, ca] = [join(directory, 'key.pem'), join(directory, 'ca.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', key, '-out', ca, '-days', '2']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], {
    stdio: 'ignore',
  })
  return { key: readFileSync(key, 'utf8'), ca: readFileSync(ca, 'utf8') }
}

/** A broker that wants TLS, and a name and a password. */
function secured(key: string, ca: string): Readonly<Record<string, string>> {
  const oneLine = (pem: string): string => pem.trim().replaceAll('\n', ' \\n')
  const jaas = [
    'org.apache.kafka.common.security.plain.PlainLoginModule required',
    'username="broker" password="between-brokers"',
    'user_broker="between-brokers" user_billing="right-password";',
  ]
  return {
    'listener.security.protocol.map': 'PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'listener.name.plaintext.plain.sasl.jaas.config': jaas.join(' '),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.key': oneLine(key),
    'ssl.keystore.certificate.chain': oneLine(ca),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': oneLine(ca),
  }
}

function describeSecurity(release: KafkaRelease): void {
  const directory = mkdtempSync(join(tmpdir(), 'varve-security-'))
  let ca = ''
  let broker: KafkaBroker | null = null

  const open = (cluster: ClusterOptions, scheme: 'kafka' | 'kafka+tls' = 'kafka+tls') => {
    const address = `${scheme}://${broker?.bootstrapServers ?? ''}` as `kafka://${string}`
    return openVarve(address, { cluster: { connectTimeoutMs: 2000, ...cluster } })
  }
  const credentials = (password: string) => {
    return { mechanism: 'PLAIN', username: 'billing', password } as const
  }

  beforeAll(async () => {
    const certificate = makeCertificate(directory)
    ca = certificate.ca
    const settings = secured(certificate.key, ca)
    broker = await startBroker(release, { directory: join(directory, 'broker'), settings })
  })
  afterAll(async () => {
    await broker?.kill()
    rmSync(directory, { recursive: true, force: true })
  })

  test('who has the right certificate and password is let in', async () => {
    await using varve = await open({ tls: { ca }, sasl: credentials('right-password') })
    const topic = fresh('secret')
    await varve.createTopic(topic)
    const producer = varve.producer()
    for (const value of numbered(5)) await producer.send(topic, { value })
    expect(await valuesIn(varve, topic)).toEqual([numbered(5)])
  })

  test('who has not is told so at once, and no password is in the error', async () => {
    const wrong = open({ tls: { ca }, sasl: credentials('wrong-password') })
    const error: unknown = await wrong.catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ClusterAuthenticationError)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('wrong-password')
    const unknown = open({ sasl: credentials('right-password') })
    await expect(unknown).rejects.toThrow(ClusterAuthenticationError)
  })

  test('who speaks without TLS is not understood', async () => {
    const plain = open({ sasl: credentials('right-password') }, 'kafka')
    await expect(plain).rejects.toThrow(ClusterUnavailableError)
  })
}
