import type { Metrics } from '@varve/broker'
import type { ServerContext } from '../base/server-context.ts'
import { type HttpExchange, type HttpRoute, sendText } from './http-route.ts'

/** `/metrics`: what Prometheus scrapes. Counting begins with the route, and ends with `close`. */
export class MetricsRoute implements HttpRoute {
  readonly path = '/metrics'
  readonly methods: readonly string[] = ['GET']
  readonly #metrics: Metrics

  constructor({ varve }: Pick<ServerContext, 'varve'>) {
    this.#metrics = varve.metrics()
  }

  async handle(exchange: HttpExchange): Promise<void> {
    sendText(exchange, 200, await this.#metrics.text(), this.#metrics.contentType)
  }

  close(): void {
    this.#metrics.close()
  }
}
