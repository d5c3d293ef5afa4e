import { InvalidArgumentError } from '@varve/record'
import {
  type ConfiguredServer,
  configureServer,
  type HttpOptions,
  parseAddress,
  parseAssignment,
  parseProperties,
  type ServerOptions,
} from '@varve/server'

/** What `varve serve` is told. */
export interface ServeOptions {
  /** Null where the configuration says it, or it is in memory. */
  readonly data: string | null
  readonly memory: boolean
  /** `HOST:PORT` or `NAME://HOST:PORT` each. */
  readonly listen: readonly string[]
  /** `HOST:PORT`; null for none. */
  readonly http: string | null
  /** A file with Kafka's names; null for none. */
  readonly config: string | null
  /** `name=value` each, with Kafka's names; they count more than the file. */
  readonly set: readonly string[]
  /** Others than this machine may come without saying who they are. */
  readonly allowAnonymousNetworkClients: boolean
  readonly verbose: boolean
  readonly json: boolean
}

/** Texts of files that are named on the command line. */
export interface ServeFiles {
  /** Of `--config`. */
  readonly config: string
  /** Of `--http-token-file`; null for none. */
  readonly httpToken: string | null
}

/**
 * The options of the server: what the file says, then `--set`, then the other arguments. Throws
 * InvalidArgumentError.
 */
export function serverOptionsOf(given: ServeOptions, files: ServeFiles): ConfiguredServer {
  const properties = new Map(parseProperties(files.config))
  for (const text of given.set) {
    const assignment = parseAssignment(text)
    if (assignment === null) throw new InvalidArgumentError('--set', text, 'must be name=value')
    properties.set(assignment.name, assignment.value)
  }
  if (given.listen.length > 0) properties.set('listeners', listenersOf(given.listen))
  if (given.allowAnonymousNetworkClients) properties.set('allow.anonymous.network.clients', 'true')
  const { options, ignored } = configureServer(properties)
  const { data: configured, ...others } = options
  const http = given.http === null ? null : httpOf(given.http, files.httpToken)
  const home = homeOf(given, configured)
  return { options: { ...others, ...home, ...(http !== null && { http }) }, ignored }
}

function homeOf(
  { data, memory }: ServeOptions,
  configured: string | undefined,
): Pick<ServerOptions, 'data' | 'memory'> {
  if (memory) {
    if (data === null) return { memory: true }
    throw new InvalidArgumentError('--memory', data, 'stands instead of --data')
  }
  const found = data ?? configured
  if (found !== undefined) return { data: found }
  throw new InvalidArgumentError('--data', 'none', 'say which directory to serve, or --memory')
}

/** Listeners without a name get Kafka's, and a number from the second on. */
function listenersOf(listen: readonly string[]): string {
  let unnamed = 0
  const named = listen.map((text) => {
    if (parseAddress('--listen', text).name !== null) return text
    unnamed += 1
    return `PLAINTEXT${unnamed === 1 ? '' : `_${unnamed}`}://${text}`
  })
  return named.join(',')
}

function httpOf(text: string, token: string | null): HttpOptions {
  const { host, port } = parseAddress('--http', text)
  return { host: host === '' ? '0.0.0.0' : host, port, ...(token !== null && { token }) }
}
