import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { clientOptionsOf } from '../../src/cluster/client-properties.ts'
import { openCluster } from '../../src/cluster/open-cluster.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

function file(name: string, text: string): string {
  const path = `${temporary.path}/${name}`
  writeFileSync(path, text)
  return path
}

const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'

test('nothing said is a plain connection', () => {
  expect(clientOptionsOf('')).toEqual({ isTls: false, cluster: {} })
  expect(clientOptionsOf('security.protocol=SSL')).toEqual({ isTls: true, cluster: { tls: {} } })
  expect(clientOptionsOf('client.id=me\nacks=all').cluster).toEqual({ clientId: 'me' })
})

describe('who logs in', () => {
  const sasl = (text: string) =>
    clientOptionsOf(`security.protocol=SASL_PLAINTEXT\n${text}`).cluster.sasl
  const alice = { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'a "b" c' }

  test.each([
    'sasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=X required username="alice" password="a \\\\"b\\\\" c";',
    'sasl.mechanism=scram-sha-256\nsasl.jaas.config=X required username=alice password="a \\\\"b\\\\" c";',
    'sasl.mechanisms=SCRAM-SHA-256\nsasl.username=alice\nsasl.password=a "b" c',
  ])('is said as Java’s clients and librdkafka’s have it: %j', (text) => {
    expect(sasl(text)).toEqual(alice)
  })

  test('is not mistaken for what only ends like it', () => {
    const jaas = 'X required user_password="other" password="mine" username="alice";'
    expect(sasl(`sasl.jaas.config=${jaas}`)).toMatchObject({ password: 'mine' })
  })
})

describe('certificates', () => {
  const tls = (text: string) => clientOptionsOf(`security.protocol=SSL\n${text}`).cluster.tls
  const bytes = Buffer.from(pem)

  test('are read from PEM files, or stand in the text', () => {
    const ca = file('ca.pem', pem)
    expect(tls(`ssl.truststore.type=PEM\nssl.truststore.location=${ca}`)).toEqual({ ca: bytes })
    expect(tls(`ssl.ca.location=${ca}`)).toEqual({ ca: bytes })
    const inline = pem.trimEnd().replaceAll('\n', '\\n')
    expect(tls(`ssl.truststore.certificates=${inline}`)).toEqual({ ca: pem.trimEnd() })
    const own = `ssl.certificate.location=${ca}\nssl.key.location=${ca}\nssl.key.password=x`
    expect(tls(own)).toEqual({ cert: bytes, key: bytes, passphrase: 'x' })
    expect(tls(`ssl.keystore.location=${ca}`)).toEqual({ cert: bytes, key: bytes })
    const chain = `ssl.keystore.certificate.chain=${inline}\nssl.keystore.key=${inline}`
    expect(tls(chain)).toEqual({ cert: pem.trimEnd(), key: pem.trimEnd() })
  })

  test('of one’s own may be in PKCS #12', () => {
    const path = file('own.p12', 'packed')
    const text = `ssl.keystore.type=PKCS12\nssl.keystore.location=${path}\nssl.keystore.password=x`
    expect(tls(text)).toEqual({ pfx: Buffer.from('packed'), passphrase: 'x' })
  })

  test('in a store of Java’s are refused, saying how to get them out', () => {
    const path = file('store.jks', 'not PEM')
    expect(() => tls(`ssl.truststore.location=${path}`)).toThrow(/keytool/)
    expect(() => tls(`ssl.keystore.type=JKS\nssl.keystore.location=${path}`)).toThrow(/keytool/)
  })

  test('need not be of the host’s name where that is said', () => {
    const options = tls('ssl.endpoint.identification.algorithm=')
    expect(options?.checkServerIdentity?.('a', {} as never)).toBeUndefined()
    expect(tls('')).not.toHaveProperty('checkServerIdentity')
  })
})

test('what cannot be understood is refused, without the password', () => {
  expect(() => clientOptionsOf('security.protocol=TLS')).toThrow(/security\.protocol/)
  const sasl = 'security.protocol=SASL_SSL\nsasl.jaas.config=password="secret"'
  expect(() => clientOptionsOf(sasl)).toThrow(/^(?!.*secret).*username/)
  expect(() => clientOptionsOf(`${sasl}\nsasl.mechanism=GSSAPI`)).toThrow(/sasl\.mechanism/)
})

test('an address that is none is refused', async () => {
  const place = { bootstrapServer: 'a b', commandConfig: null }
  await expect(openCluster(place)).rejects.toThrow(/host:port|host/)
})

test('a file that is not there is an error of usage', async () => {
  const commandConfig = `${temporary.path}/none.properties`
  const opened = openCluster({ bootstrapServer: 'localhost:1', commandConfig })
  await expect(opened).rejects.toThrow(/--command-config.*not there/)
})
