import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { InvalidArgumentError } from '@varve/record'

/** The HTTP listener of a server: health, metrics, the page. */
export interface HttpOptions {
  /** @defaultValue '127.0.0.1' */
  readonly host?: string
  /** 0 takes a port that is free. @defaultValue 9464 */
  readonly port?: number
  /**
   * What whoever asks has to show, as a bearer token or as the password of Basic authentication
   * with any name; 16 characters at least. A listener that others than this machine reach must have
   * one. `/health` and `/ready` answer without it, and then tell no names.
   */
  readonly token?: string
}

export interface ResolvedHttpOptions {
  readonly host: string
  readonly port: number
  /** SHA-256 of the token; null for none. */
  readonly tokenHash: Buffer | null
}

const tokenLengthMin = 16

/** Throws InvalidArgumentError. */
export function resolveHttpOptions(options: HttpOptions): ResolvedHttpOptions {
  const { host = '127.0.0.1', port = 9464, token } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('http.port', port, 'must be a port, 0 to 65535')
  }
  if (token !== undefined && token.length < tokenLengthMin) {
    const why = `must have ${tokenLengthMin} characters at least`
    throw new InvalidArgumentError('http.token', '(hidden)', why)
  }
  if (token === undefined && !isLoopback(host)) {
    const why = 'others than this machine would reach it: give it a token, or a loopback address'
    throw new InvalidArgumentError('http.host', host, why)
  }
  return { host, port, tokenHash: token === undefined ? null : hashOf(token) }
}

/** Whether a host is this machine's own, by its name or number alone. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(bare) === 4) return bare.startsWith('127.')
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1'
}

/** Hashes are compared, not texts: they all have the same length. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}
