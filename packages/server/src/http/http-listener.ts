import { timingSafeEqual } from 'node:crypto'
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { Logger } from '@varve/broker'
import { hashOf, isLoopback, type ResolvedHttpOptions } from '../base/http-options.ts'
import { ListenError } from '../base/server-errors.ts'
import { type HttpExchange, type HttpRoute, sendText } from './http-route.ts'
import { HttpSockets } from './http-sockets.ts'

const connectionsMax = 256
/** How long a client may take for the headers of a request, and for all of it, in ms. */
const headersMs = 10_000
const requestMs = 30_000
/** How often it is looked whether somebody takes longer, in ms. */
const lookMs = 5_000
/** How long an answer may wait for a client that takes nothing of it, in ms. */
const stalledMs = 60_000
/** While so much of answers is not read, only open routes answer. */
const unreadBytesMax = 128 * 2 ** 20

/**
 * A small HTTP listener for those who operate a server. Each path has one route; routes that are
 * not open need the token where the listener has one. Where it has none, it answers only what
 * names this machine as its host: a page of another site cannot make a browser ask it by a name
 * that it lets point here.
 */
export class HttpListener {
  readonly host: string
  /** The one that it listens on, also where any was asked for. */
  readonly port: number
  readonly #server: HttpServer
  readonly #routes: readonly HttpRoute[]
  readonly #tokenHash: Buffer | null
  readonly #logger: Logger
  readonly #sockets = new HttpSockets(connectionsMax)

  private constructor(
    server: HttpServer,
    options: ResolvedHttpOptions,
    routes: readonly HttpRoute[],
    logger: Logger,
  ) {
    const address = server.address()
    this.host = options.host
    this.port = typeof address === 'object' && address !== null ? address.port : options.port
    this.#server = server
    this.#routes = routes
    this.#tokenHash = options.tokenHash
    this.#logger = logger
  }

  /** Rejects with ListenError. */
  static async open(
    options: ResolvedHttpOptions,
    routes: readonly HttpRoute[],
    logger: Logger,
  ): Promise<HttpListener> {
    const server = createServer({
      ...{ headersTimeout: headersMs, requestTimeout: requestMs },
      connectionsCheckingInterval: lookMs,
    })
    server.setTimeout(stalledMs)
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(new ListenError(`${options.host}:${options.port}`, error.message, error))
      })
      server.listen({ host: options.host, port: options.port }, resolve)
    })
    const listener = new HttpListener(server, options, routes, logger)
    server.on('connection', (socket) => listener.#sockets.enter(socket))
    server.on('request', (request, response) => void listener.#answer(request, response))
    server.on('error', (err) => logger.warn({ err }, 'the HTTP listener met an error'))
    return listener
  }

  /** As `127.0.0.1:9464`. */
  get address(): string {
    return `${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  /** Takes no more requests, and ends those that are under way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#sockets.begin(request.socket, response)
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('referrer-policy', 'no-referrer')
    response.setHeader('cache-control', 'no-store')
    const url = urlOf(request)
    if (url === null) {
      response.writeHead(400).end()
      return
    }
    const sockets = this.#sockets
    const exchange = {
      ...{ request, response, url, isTrusted: this.#isTrusted(request) },
      get isCrowded() {
        return sockets.unreadBytes > unreadBytesMax
      },
    }
    try {
      await this.#route(exchange)
    } catch (err) {
      this.#logger.error({ err, path: url.pathname }, 'a request over HTTP failed')
      if (response.headersSent) response.destroy()
      else sendText(exchange, 500, 'It failed; the server has logged why.\n')
    }
  }

  async #route(exchange: HttpExchange): Promise<void> {
    const { request, response, url } = exchange
    const route = findRoute(this.#routes, url.pathname)
    if (route?.isOpen !== true && !exchange.isTrusted) {
      if (this.#tokenHash === null) {
        sendText(exchange, 421, 'This listener answers to the names of this machine only.\n')
        return
      }
      response.setHeader('www-authenticate', 'Basic realm="varve", charset="UTF-8"')
      sendText(exchange, 401, 'This needs the token of the HTTP listener.\n')
      return
    }
    if (route?.isOpen !== true && exchange.isCrowded) {
      sendText(exchange, 503, 'Too much of other answers is not read: ask again.\n')
      return
    }
    if (route === null) {
      sendText(exchange, 404, 'There is nothing here.\n')
      return
    }
    const { methods } = route
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    if (!methods.includes(method)) {
      response.setHeader('allow', methods.includes('GET') ? [...methods, 'HEAD'] : [...methods])
      sendText(exchange, 405, 'That is not done here.\n')
      return
    }
    await route.handle(exchange)
  }

  #isTrusted(request: IncomingMessage): boolean {
    if (this.#tokenHash === null) return isLoopback(hostnameOf(request.headers.host ?? ''))
    const shown = shownToken(request.headers.authorization ?? '')
    return shown !== null && timingSafeEqual(hashOf(shown), this.#tokenHash)
  }
}

/** Of routes at several paths above it, the one whose path is longest. */
function findRoute(routes: readonly HttpRoute[], path: string): HttpRoute | null {
  let found: HttpRoute | null = null
  for (const route of routes) {
    const isHere = route.path.endsWith('/') ? path.startsWith(route.path) : path === route.path
    if (isHere && route.path.length > (found?.path.length ?? 0)) found = route
  }
  return found
}

function urlOf(request: IncomingMessage): URL | null {
  const { url = '' } = request
  if (!url.startsWith('/')) return null
  try {
    return new URL(`https://varve.invalid${url}`)
  } catch {
    return null
  }
}

/** Without the port; that of an IPv6 address stands behind its brackets. */
function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, '')
}

function shownToken(authorization: string): string | null {
  const { scheme = '', value = '' } =
    /^(?<scheme>basic|bearer) +(?<value>\S+)$/i.exec(authorization)?.groups ?? {}
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme === '') return null
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}
