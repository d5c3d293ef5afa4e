import { readFileSync } from 'node:fs'
import type { ClusterOptions, SaslOptions } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import { parseProperties } from '@varve/server'

/** Where a cluster, or a served directory, is, and how to speak with it. */
export interface ClusterPlace {
  /** `host:port`, or several behind commas. */
  readonly bootstrapServer: string
  /** A file as Kafka's tools take it; null for none. */
  readonly commandConfig: string | null
}

/** What a file for Kafka's `--command-config` says, as far as it is about connecting. */
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
  const file = (name: string): Buffer | undefined => {
    const path = properties.get(name)
    return path === undefined ? undefined : readFileSync(path)
  }
  const ca = file('ssl.truststore.location')
  const own = file('ssl.keystore.location')
  const passphrase = properties.get('ssl.key.password')
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(own !== undefined && { cert: own, key: own }),
    ...(passphrase !== undefined && { passphrase }),
  }
  return { isTls, cluster: { ...(isTls && { tls }), ...(sasl !== null && { sasl }) } }
}

const mechanisms: readonly string[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Name and password stand in the text that Java's clients need for them. */
function saslOf(properties: ReadonlyMap<string, string>): SaslOptions {
  const mechanism = properties.get('sasl.mechanism') ?? 'PLAIN'
  if (!mechanisms.includes(mechanism)) {
    const known = mechanisms.join(', ')
    throw new InvalidArgumentError('sasl.mechanism', mechanism, `must be one of ${known}`)
  }
  const jaas = properties.get('sasl.jaas.config') ?? ''
  const username = /\busername="((?:\\.|[^"\\])*)"/.exec(jaas)?.[1]
  const password = /\bpassword="((?:\\.|[^"\\])*)"/.exec(jaas)?.[1]
  if (username === undefined || password === undefined) {
    const rule = 'must have username="…" and password="…"'
    throw new InvalidArgumentError('sasl.jaas.config', '(hidden)', rule)
  }
  const bare = (text: string): string => text.replace(/\\(.)/g, '$1')
  return {
    mechanism: mechanism as SaslOptions['mechanism'],
    username: bare(username),
    password: bare(password),
  }
}
