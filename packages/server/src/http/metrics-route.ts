import type { Metrics } from '@varve/broker'
import type { RequestTraffic } from '../base/request-traffic.ts'
import type { ServerContext } from '../base/server-context.ts'
import { type HttpExchange, type HttpRoute, sendText } from './http-route.ts'
import { kafkaMetrics, type ListenerFacts, type MeasuredServer } from './kafka-metrics.ts'
import { TopicCounters } from './topic-counters.ts'

/** `/metrics`: what Prometheus scrapes. Counting begins with the route, and ends with `close`. */
export class MetricsRoute implements HttpRoute {
  readonly path = '/metrics'
  readonly methods: readonly string[] = ['GET']
  readonly #metrics: Metrics
  readonly #server: MeasuredServer

  constructor(
    context: Pick<ServerContext, 'varve' | 'parts' | 'clock'>,
    traffic: RequestTraffic,
    listeners: () => readonly ListenerFacts[],
  ) {
    this.#metrics = context.varve.metrics()
    this.#server = { context, traffic, listeners, topics: new TopicCounters() }
  }

  async handle(exchange: HttpExchange): Promise<void> {
    const text = `${await this.#metrics.text()}${kafkaMetrics(this.#server)}`
    sendText(exchange, 200, text, this.#metrics.contentType)
  }

  close(): void {
    this.#metrics.close()
    this.#server.topics.close()
  }
}
