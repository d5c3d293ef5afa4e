import type { ConnectionOptions } from 'node:tls'
import type { ClusterOptions, SaslOptions } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import { parseProperties } from '@varve/server'
import { readGivenFile } from '../given-file.ts'

/** Where a cluster, or a served directory, is, and how to speak with it. */
export interface ClusterPlace {
  /** `host:port`, or several behind commas. */
  readonly bootstrapServer: string
  /** A file as Kafka's tools take it; null for none. */
  readonly commandConfig: string | null
}

type Properties = ReadonlyMap<string, string>

/**
 * What a file for Kafka's `--command-config` says, as far as it is about connecting; by the names
 * of Java's clients, and by librdkafka's where they differ. What it says of other things does not
 * matter, as with Kafka's tools. Throws InvalidArgumentError.
 */
export function clientOptionsOf(text: string): {
  readonly isTls: boolean
  readonly cluster: ClusterOptions
} {
  const properties = parseProperties(text)
  const protocol = (properties.get('security.protocol') ?? 'PLAINTEXT').toUpperCase()
  if (!/^(?:SASL_)?(?:PLAINTEXT|SSL)$/.test(protocol)) {
    const known = 'PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL'
    throw new InvalidArgumentError('security.protocol', protocol, `must be ${known}`)
  }
  const isTls = protocol.endsWith('SSL')
  const sasl = protocol.startsWith('SASL') ? saslOf(properties) : null
  const clientId = properties.get('client.id')
  return {
    isTls,
    cluster: {
      ...(isTls && { tls: tlsOf(properties) }),
      ...(sasl !== null && { sasl }),
      ...(clientId !== undefined && clientId !== '' && { clientId }),
    },
  }
}

/** PEM, in a file or in the text itself; or PKCS #12. */
function tlsOf(properties: Properties): ConnectionOptions {
  const ca = storeOf(properties, 'truststore', ['ssl.truststore.certificates', 'ssl.ca.pem'])
  const own = storeOf(properties, 'keystore', ['ssl.keystore.certificate.chain'])
  const certificate = fileOf(properties, 'ssl.certificate.location')
  const key = properties.get('ssl.keystore.key') ?? fileOf(properties, 'ssl.key.location')
  const passphrase = properties.get('ssl.key.password') ?? properties.get('ssl.keystore.password')
  const authority = ca ?? fileOf(properties, 'ssl.ca.location')
  const cert = certificate ?? own
  const isPacked = typeOf(properties, 'keystore') === 'PKCS12' && certificate === undefined
  return {
    ...(authority !== undefined && { ca: authority }),
    ...(cert !== undefined && (isPacked ? { pfx: cert } : { cert, key: key ?? cert })),
    ...(passphrase !== undefined && { passphrase }),
    // Kafka's way of saying that the name of the host does not matter.
    ...(properties.get('ssl.endpoint.identification.algorithm') === '' && {
      checkServerIdentity: () => undefined,
    }),
  }
}

type Store = 'truststore' | 'keystore'

function storeOf(
  properties: Properties,
  store: Store,
  inText: readonly string[],
): string | Buffer | undefined {
  for (const name of inText) {
    const pem = properties.get(name)
    if (pem !== undefined) return pem
  }
  const option = `ssl.${store}.location`
  const bytes = fileOf(properties, option)
  if (bytes === undefined) return undefined
  const type = typeOf(properties, store)
  const isReadable = type === 'PEM' || (type === 'PKCS12' && store === 'keystore')
  const isText = bytes.subarray(0, 4096).includes('-----BEGIN')
  if (isReadable && (type === 'PKCS12' || isText)) return bytes
  const rule =
    'must be PEM, since Java’s own stores can only be read by Java: ' +
    'keytool -exportcert -rfc -keystore STORE -alias NAME > FILE'
  throw new InvalidArgumentError(option, properties.get(option), rule)
}

/** Java takes what it does not know for JKS; here it is PEM that is meant. */
function typeOf(properties: Properties, store: Store): string {
  return (properties.get(`ssl.${store}.type`) ?? 'PEM').toUpperCase()
}

function fileOf(properties: Properties, name: string): Buffer | undefined {
  const path = properties.get(name)
  return path === undefined ? undefined : readGivenFile(name, path)
}

const mechanisms: readonly string[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Name and password stand in the text that Java's clients need for them, or by themselves. */
function saslOf(properties: Properties): SaslOptions {
  const named = properties.get('sasl.mechanism') ?? properties.get('sasl.mechanisms')
  const mechanism = (named ?? 'PLAIN').toUpperCase()
  if (!mechanisms.includes(mechanism)) {
    const known = mechanisms.join(', ')
    throw new InvalidArgumentError('sasl.mechanism', mechanism, `must be one of ${known}`)
  }
  const jaas = properties.get('sasl.jaas.config') ?? ''
  const username = properties.get('sasl.username') ?? jaasOption(jaas, 'username')
  const password = properties.get('sasl.password') ?? jaasOption(jaas, 'password')
  if (username === undefined || password === undefined) {
    const rule = 'must have username="…" and password="…"'
    throw new InvalidArgumentError('sasl.jaas.config', '(hidden)', rule)
  }
  return { mechanism: mechanism as SaslOptions['mechanism'], username, password }
}

/** Values stand in quotation marks, and need not where they are plain. */
function jaasOption(jaas: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"((?:\\\\.|[^"\\\\])*)"|([^\\s";]+))`).exec(
    jaas,
  )
  const [, quoted, plain] = found ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? plain
}
