import { InvalidArgumentError } from '@varve/record'

/** What `openVarve` takes for a cluster. */
export type ClusterAddress = `kafka://${string}` | `kafka+tls://${string}`

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export interface ParsedAddress {
  readonly isTls: boolean
  /** Those to ask first; the others are learnt from them. */
  readonly brokers: readonly BrokerAddress[]
}

const defaultPort = 9092

export function isClusterAddress(address: string): address is ClusterAddress {
  return /^kafka(?:\+\w+)?:/i.test(address)
}

/**
 * Reads `kafka://host:port,host:port`, or `kafka+tls://…`. Throws InvalidArgumentError, which
 * does not repeat the address: people put passwords there.
 */
export function parseClusterAddress(address: string): ParsedAddress {
  const match = /^kafka(\+tls)?:\/\/([^/?#]+)\/?$/i.exec(address)
  if (match === null) refuse('must be kafka://host:port, or several of them behind a comma')
  const [, tls, list = ''] = match
  if (list.includes('@')) refuse('must not hold a user or a password: they go into cluster.sasl')
  return { isTls: tls !== undefined, brokers: list.split(',').map(parseBroker) }
}

function parseBroker(text: string): BrokerAddress {
  const match = /^(\[[\da-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(text)
  if (match === null) refuse('must name each broker as host, or host:port')
  const [, host = '', digits] = match
  const port = digits === undefined ? defaultPort : Number(digits)
  if (port < 1 || port > 65_535) refuse('must have ports from 1 to 65535')
  return { host: host.replace(/^\[|\]$/g, ''), port }
}

function refuse(rule: string): never {
  throw new InvalidArgumentError('address', 'kafka:…', `the address of a cluster ${rule}`)
}
