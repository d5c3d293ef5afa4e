import { InvalidArgumentError } from '@varve/record'
import type {
  ListenerOptions,
  ListenerProtocol,
  SaslMechanism,
  TlsListenerOptions,
} from '../base/listener-options.ts'
import { listOf, type NamedAddress, parseAddresses } from './listener-addresses.ts'

type Properties = ReadonlyMap<string, string>

/** Settings of all listeners; those of TLS and SASL also of one, behind `listener.name.<name>.`. */
const perListener: readonly string[] = [
  'sasl.enabled.mechanisms',
  'ssl.client.auth',
  'ssl.key.password',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.location',
  'ssl.truststore.type',
]

/** Those that together say what is listened on, and how. */
export const listenerSettings: readonly string[] = [
  'listeners',
  'advertised.listeners',
  'controller.listener.names',
  'listener.security.protocol.map',
  'allow.anonymous.network.clients',
  ...perListener,
]

/** Also of one listener: `listener.name.sasl_ssl.ssl.client.auth`. */
export function isListenerSetting(name: string): boolean {
  const own = /^listener\.name\.[^.]+\.(.+)$/.exec(name)?.[1]
  return own === undefined ? listenerSettings.includes(name) : perListener.includes(own)
}

/**
 * The listeners; null where none are given. Kafka's controllers have some that clients do not use:
 * they are left out. Throws InvalidArgumentError.
 */
export function listenersOf(properties: Properties): readonly ListenerOptions[] | null {
  const text = properties.get('listeners')
  const advertised = parseAddresses(
    'advertised.listeners',
    properties.get('advertised.listeners') ?? '',
  )
  if (text === undefined) {
    const orphan = [...properties].find(([name]) => isListenerSetting(name))
    if (orphan === undefined) return null
    throw new InvalidArgumentError(orphan[0], orphan[1], 'needs listeners, which it is about')
  }
  const controllers = listOf((properties.get('controller.listener.names') ?? '').toUpperCase())
  const protocols = protocolsOf(properties)
  return parseAddresses('listeners', text)
    .filter(({ name }) => name === null || !controllers.includes(name))
    .map((address) => listenerOf(address, advertised, protocols, properties))
}

function listenerOf(
  { name, host, port }: NamedAddress,
  advertised: readonly NamedAddress[],
  protocols: ReadonlyMap<string, string>,
  properties: Properties,
): ListenerOptions {
  const own = advertised.find((each) => each.name === name)
  const protocol = protocolOf(name, protocols)
  const setting = (what: string): string | undefined => {
    return properties.get(`listener.name.${name?.toLowerCase()}.${what}`) ?? properties.get(what)
  }
  const mechanisms = setting('sasl.enabled.mechanisms')
  const isSasl = protocol.startsWith('SASL')
  const allows = properties.get('allow.anonymous.network.clients')
  return {
    ...(name !== null && { name }),
    ...(protocol !== 'PLAINTEXT' && { protocol }),
    ...{ host: host === '' ? '0.0.0.0' : host, port },
    ...(own !== undefined && own.host !== '' && { advertisedHost: own.host }),
    ...(own !== undefined && { advertisedPort: own.port }),
    ...(protocol.endsWith('SSL') && { tls: tlsOf(setting) }),
    ...(isSasl && mechanisms !== undefined && { saslMechanisms: mechanismsOf(mechanisms) }),
    ...(allows === 'true' && { allowsAnonymousNetworkClients: true }),
  }
}

function protocolsOf(properties: Properties): ReadonlyMap<string, string> {
  const setting = 'listener.security.protocol.map'
  const pairs = listOf(properties.get(setting) ?? '').map((pair) => {
    const [name = '', protocol] = pair.toUpperCase().split(':')
    if (protocol !== undefined) return [name, protocol] as const
    throw new InvalidArgumentError(setting, pair, 'must be NAME:PROTOCOL')
  })
  return new Map(pairs)
}

const known: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** A name that is none of a protocol, and is mapped to none, is plain. */
function protocolOf(name: string | null, map: ReadonlyMap<string, string>): ListenerProtocol {
  const mapped = map.get(name ?? '')
  const protocol = mapped ?? name ?? 'PLAINTEXT'
  if (known.includes(protocol)) return protocol as ListenerProtocol
  if (mapped === undefined) return 'PLAINTEXT'
  const rule = `must name one of ${known.join(', ')}`
  throw new InvalidArgumentError('listener.security.protocol.map', mapped, rule)
}

function mechanismsOf(text: string): readonly SaslMechanism[] {
  return listOf(text) as readonly SaslMechanism[]
}

const clientCertificates: Readonly<Record<string, 'none' | 'requested' | 'required'>> = {
  none: 'none',
  requested: 'requested',
  required: 'required',
}

/** Key stores are PEM or PKCS #12 files; Java's own format is for Java. */
function tlsOf(setting: (what: string) => string | undefined): TlsListenerOptions {
  const store = setting('ssl.keystore.location')
  if (store === undefined) {
    throw new InvalidArgumentError('ssl.keystore.location', 'none', 'a listener of SSL needs it')
  }
  const type = storeType(setting, 'ssl.keystore.type', store)
  const passphrase = setting('ssl.key.password') ?? setting('ssl.keystore.password')
  const caFile = setting('ssl.truststore.location')
  if (caFile !== undefined && storeType(setting, 'ssl.truststore.type', caFile) !== 'PEM') {
    throw new InvalidArgumentError('ssl.truststore.type', caFile, 'must be PEM')
  }
  const asked = setting('ssl.client.auth') ?? 'none'
  const certificates = clientCertificates[asked]
  if (certificates === undefined) {
    throw new InvalidArgumentError('ssl.client.auth', asked, 'none, requested or required')
  }
  return {
    ...(type === 'PEM' ? { certificateFile: store } : { pfxFile: store }),
    ...(passphrase !== undefined && { passphrase }),
    ...(caFile !== undefined && { caFile }),
    clientCertificates: certificates,
  }
}

function storeType(
  setting: (what: string) => string | undefined,
  name: string,
  path: string,
): 'PEM' | 'PKCS12' {
  const guessed = /\.(?:p12|pfx|pkcs12)$/i.test(path) ? 'PKCS12' : 'PEM'
  const type = (setting(name) ?? (/\.jks$/i.test(path) ? 'JKS' : guessed)).toUpperCase()
  if (type === 'PEM' || type === 'PKCS12') return type
  throw new InvalidArgumentError(name, type, 'must be PEM or PKCS12')
}
