import type { Logger } from '@varve/broker'
import type { Clock } from '@varve/log'
import type { ApiHandler } from '../base/api-handler.ts'
import type { RequestTraffic } from '../base/request-traffic.ts'
import type { FramePiece } from '../protocol/unread-bytes.ts'

/** Who is told of requests. */
export interface RequestObservers {
  readonly clock: Clock
  /** Null where nobody counts. */
  readonly traffic: RequestTraffic | null
  /** Gets a line for each request; null where nobody wants that many. */
  readonly logger: Logger | null
}

/** The same handlers, whose requests are counted and logged. */
export function observedHandlers(
  handlers: ReadonlyMap<number, ApiHandler>,
  observers: RequestObservers,
): ReadonlyMap<number, ApiHandler> {
  return new Map([...handlers].map(([key, handler]) => [key, observed(handler, observers)]))
}

function observed(handler: ApiHandler, { clock, traffic, logger }: RequestObservers): ApiHandler {
  const { api, versions, advertised, overlaps, isForStrangers } = handler
  const { keepsRequest, outlivesClient } = handler
  return {
    ...{ api, versions, advertised, overlaps, isForStrangers, keepsRequest },
    outlivesClient,
    answer(call, request) {
      const startedMs = clock.monotonic()
      const tell = (answer: readonly FramePiece[] | null): void => {
        const nowMs = clock.monotonic()
        const durationMs = nowMs - startedMs
        const { version, correlationId, clientId, client } = call
        const responseBytes = answer?.reduce((sum, { length }) => sum + length, 0) ?? 0
        const told = { api: api.name, version, durationMs, responseBytes }
        const requestBytes = request.frame.length
        traffic?.count({ ...told, requestBytes }, nowMs)
        if (logger === null) return
        const { connectionId, host, principal } = client
        const from = { clientId, connectionId, host, principal, correlationId }
        logger.debug({ ...told, requestBytes, ...from }, 'a request was answered')
      }
      const answering = handler.answer(call, request)
      // What it fails with is told to whoever asked; here it only counts.
      answering.then(tell, () => tell(null))
      return answering
    },
  }
}
