import type { ResolvedHttpOptions } from './base/http-options.ts'
import type { ServerContext } from './base/server-context.ts'
import { healthRoutes, type WatchedServer } from './http/health.ts'
import { HttpListener } from './http/http-listener.ts'
import type { HttpRoute } from './http/http-route.ts'
import type { ListenerFacts } from './http/kafka-metrics.ts'
import { type Measured, MetricsRoute } from './http/metrics-route.ts'
import type { ShownListener } from './ui/ui-context.ts'
import type { UiRoute } from './ui/ui-route.ts'

/** What is asked of a server over HTTP. */
export interface ShownServer extends WatchedServer {
  /** Where it listens, and how many clients are connected there. */
  readonly listenerFacts: readonly ListenerFacts[]
}

/** Everything that a server answers over HTTP. */
export class HttpSide {
  readonly #listener: HttpListener
  readonly #metrics: MetricsRoute
  readonly #ui: UiRoute | null

  private constructor(listener: HttpListener, metrics: MetricsRoute, ui: UiRoute | null) {
    this.#listener = listener
    this.#metrics = metrics
    this.#ui = ui
  }

  /** Rejects with ListenError. */
  static async open(
    options: ResolvedHttpOptions,
    measured: Measured & { readonly context: ServerContext },
    server: ShownServer,
    listeners: () => readonly ShownListener[],
  ): Promise<HttpSide> {
    const { context } = measured
    const metrics = new MetricsRoute(measured, () => server.listenerFacts)
    const ui = await openUi(context, listeners)
    try {
      const routes: HttpRoute[] = [...healthRoutes(context, server), metrics]
      if (ui !== null) routes.push(ui)
      const listener = await HttpListener.open(options, routes, context.logger)
      return new HttpSide(listener, metrics, ui)
    } catch (error) {
      ui?.close()
      metrics.close()
      throw error
    }
  }

  get address(): string {
    return this.#listener.address
  }

  async close(): Promise<void> {
    this.#ui?.close()
    await this.#listener.close()
    this.#metrics.close()
  }
}

async function openUi(
  context: ServerContext,
  listeners: () => readonly ShownListener[],
): Promise<UiRoute | null> {
  const { ui, nodeId } = context.options
  if (ui === null) return null
  const { UiRoute } = await import('./ui/ui-route.ts')
  return new UiRoute({ ...context, nodeId, listeners }, ui)
}
