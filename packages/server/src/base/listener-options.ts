import { InvalidArgumentError } from '@varve/record'
import { InsecureListenerError } from './server-errors.ts'

/** Kafka's security protocols: whether the wire is encrypted, and whether clients log in. */
export type ListenerProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** How clients can log in. */
export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** The certificate of a listener, and which clients it takes. Files are PEM but for `pfxFile`. */
export interface TlsListenerOptions {
  /** The certificate and the chain behind it; may hold the key too. */
  readonly certificateFile?: string
  /** @defaultValue the certificate's file */
  readonly keyFile?: string
  /** Key, certificate and chain in one PKCS #12 file, instead of the two above. */
  readonly pfxFile?: string
  /** Opens the key, or the PKCS #12 file. */
  readonly passphrase?: string
  /** Who may have signed clients' certificates. @defaultValue those that Node trusts */
  readonly caFile?: string
  /**
   * Whether clients show certificates: Kafka's ssl.client.auth. One that is shown must be good in
   * either case; who shows none where they are `requested` is anonymous. @defaultValue 'none'
   */
  readonly clientCertificates?: 'none' | 'requested' | 'required'
  /** @defaultValue 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** One address that a server listens on. */
export interface ListenerOptions {
  /** As clients and logs know it: Kafka's listener name. @defaultValue the protocol */
  readonly name?: string
  /** @defaultValue 'PLAINTEXT' */
  readonly protocol?: ListenerProtocol
  /** @defaultValue '127.0.0.1' */
  readonly host?: string
  /** 0 takes a port that is free. @defaultValue 9092 */
  readonly port?: number
  /** Where clients of this listener are told to connect. @defaultValue the host and port */
  readonly advertisedHost?: string
  readonly advertisedPort?: number
  /** Must be given for SSL and SASL_SSL, and not for others. */
  readonly tls?: TlsListenerOptions
  /** Where clients log in. @defaultValue all three */
  readonly saslMechanisms?: readonly SaslMechanism[]
  /**
   * Has to be true for a listener that others than this machine reach, and that does not ask who
   * they are: whoever reaches it may then do whatever an anonymous client may. @defaultValue false
   */
  readonly allowsAnonymousNetworkClients?: boolean
}

export interface ResolvedListenerOptions {
  readonly name: string
  readonly protocol: ListenerProtocol
  readonly host: string
  readonly port: number
  /** Null for the address that it listens on. */
  readonly advertisedHost: string | null
  readonly advertisedPort: number | null
  /** Null where the wire is not encrypted. */
  readonly tls: TlsListenerOptions | null
  /** Null where clients do not log in. */
  readonly saslMechanisms: readonly SaslMechanism[] | null
}

const protocols: readonly ListenerProtocol[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const allMechanisms: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Throws InvalidArgumentError and InsecureListenerError. */
export function resolveListener(options: ListenerOptions): ResolvedListenerOptions {
  const { protocol = 'PLAINTEXT', host = '127.0.0.1', port = 9092, name = protocol } = options
  const { advertisedHost = null, advertisedPort = null } = options
  if (!protocols.includes(protocol)) {
    throw new InvalidArgumentError('protocol', protocol, `must be one of ${protocols.join(', ')}`)
  }
  checkPort('port', port, 0)
  if (advertisedPort !== null) checkPort('advertisedPort', advertisedPort, 1)
  const tls = tlsOf(protocol, options)
  const saslMechanisms = mechanismsOf(protocol, options)
  const asksWho = saslMechanisms !== null || tls?.clientCertificates === 'required'
  if (!asksWho && !isLoopback(host) && options.allowsAnonymousNetworkClients !== true) {
    throw new InsecureListenerError(`${host}:${port}`)
  }
  return { name, protocol, host, port, advertisedHost, advertisedPort, tls, saslMechanisms }
}

/** Whether only programs of this machine reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function tlsOf(
  protocol: ListenerProtocol,
  { tls }: ListenerOptions,
): ResolvedListenerOptions['tls'] {
  const isEncrypted = protocol === 'SSL' || protocol === 'SASL_SSL'
  if (!isEncrypted) {
    if (tls === undefined) return null
    throw new InvalidArgumentError('tls', 'given', `has no meaning for ${protocol}`)
  }
  const { certificateFile, pfxFile } = tls ?? {}
  if (tls === undefined || (certificateFile === undefined) === (pfxFile === undefined)) {
    throw new InvalidArgumentError('tls', 'none', 'needs certificateFile, or pfxFile instead')
  }
  return tls
}

function mechanismsOf(
  protocol: ListenerProtocol,
  { saslMechanisms }: ListenerOptions,
): ResolvedListenerOptions['saslMechanisms'] {
  if (protocol === 'PLAINTEXT' || protocol === 'SSL') {
    if (saslMechanisms === undefined) return null
    throw new InvalidArgumentError('saslMechanisms', saslMechanisms, `are none of ${protocol}`)
  }
  const mechanisms = saslMechanisms ?? allMechanisms
  const isKnown = mechanisms.every((mechanism) => allMechanisms.includes(mechanism))
  if (!isKnown || mechanisms.length === 0) {
    const known = allMechanisms.join(', ')
    throw new InvalidArgumentError('saslMechanisms', mechanisms, `must be some of ${known}`)
  }
  return mechanisms
}

function checkPort(name: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min && value <= 65_535) return
  throw new InvalidArgumentError(name, value, `must be a port, ${min} to 65535`)
}
