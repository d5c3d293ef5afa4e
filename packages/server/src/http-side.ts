import type { ResolvedHttpOptions } from './base/http-options.ts'
import type { ServerContext } from './base/server-context.ts'
import { healthRoutes, type WatchedServer } from './http/health.ts'
import { HttpListener } from './http/http-listener.ts'
import type { HttpRoute } from './http/http-route.ts'
import { MetricsRoute } from './http/metrics-route.ts'

/** Everything that a server answers over HTTP. */
export class HttpSide {
  readonly #listener: HttpListener
  readonly #metrics: MetricsRoute

  private constructor(listener: HttpListener, metrics: MetricsRoute) {
    this.#listener = listener
    this.#metrics = metrics
  }

  /** Rejects with ListenError. */
  static async open(
    options: ResolvedHttpOptions,
    context: ServerContext,
    server: WatchedServer,
  ): Promise<HttpSide> {
    const metrics = new MetricsRoute(context)
    try {
      const routes: readonly HttpRoute[] = [...healthRoutes(context, server), metrics]
      return new HttpSide(await HttpListener.open(options, routes, context.logger), metrics)
    } catch (error) {
      metrics.close()
      throw error
    }
  }

  get address(): string {
    return this.#listener.address
  }

  async close(): Promise<void> {
    await this.#listener.close()
    this.#metrics.close()
  }
}
