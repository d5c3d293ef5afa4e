import { LogOfflineError } from '@varve/log'
import { VarveError } from '@varve/record'
import type { ServerContext } from '../base/server-context.ts'
import { type HttpRoute, sendJson } from './http-route.ts'

/** Something that is not as it should be. */
export interface HealthReason {
  readonly reason: 'log-failed' | 'log-unusable' | 'cleaning-failed'
  /** As `orders-0`. */
  readonly log: string
  readonly message: string
}

/**
 * How a server stands: `failing` where opening the directory anew can mend it, as after a disk was
 * full; `degraded` where something else has to, and the rest is served.
 */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing'
  readonly reasons: readonly HealthReason[]
}

/** How the logs stand, and what cleans them. */
export function healthOf({ parts }: Pick<ServerContext, 'parts'>): Health {
  const { topics, cleaner } = parts
  const { logs, failures } = topics.directory
  const reasons: HealthReason[] = []
  for (const [log, { isFailed }] of logs) {
    const message = 'storage failed: nothing is appended before the directory is opened again'
    if (isFailed) reasons.push({ reason: 'log-failed', log, message })
  }
  for (const [log, error] of failures) {
    // Its disk failed while it was opened, not its bytes: another opening may find room.
    const reason = error instanceof LogOfflineError ? 'log-failed' : 'log-unusable'
    reasons.push({ reason, log, message: error.message })
  }
  const isFailing = reasons.some(({ reason }) => reason === 'log-failed')
  for (const [log, { error }] of cleaner.failures) {
    const message = error instanceof VarveError ? error.message : 'it met an unexpected error'
    reasons.push({ reason: 'cleaning-failed', log, message })
  }
  const others = reasons.length > 0 ? 'degraded' : 'ok'
  return { status: isFailing ? 'failing' : others, reasons }
}

/** What the routes of health need of a server. */
export interface WatchedServer {
  /** Whether it takes connections: all of its listeners are open, and it is not being closed. */
  readonly isServing: boolean
}

/**
 * `/health`: 503 where the process should be started anew. `/ready`: 503 while it should be sent no
 * clients. Reasons name topics, and so are told to those who show the token only.
 */
export function healthRoutes(context: ServerContext, server: WatchedServer): readonly HttpRoute[] {
  const startedMs = context.clock.monotonic()
  const route = (path: string, isFine: (health: Health) => boolean): HttpRoute => ({
    ...{ path, methods: ['GET'], isOpen: true },
    handle(exchange) {
      const health = healthOf(context)
      const status = isFine(health) ? 200 : 503
      if (!exchange.isTrusted) {
        sendJson(exchange, status, { status: health.status })
        return
      }
      const { isServing } = server
      const uptimeSeconds = Math.round((context.clock.monotonic() - startedMs) / 1000)
      const { clusterId } = context
      sendJson(exchange, status, { ...health, isServing, clusterId, uptimeSeconds })
    },
  })
  return [
    route('/health', ({ status }) => status !== 'failing'),
    route('/ready', ({ status }) => server.isServing && status !== 'failing'),
  ]
}
