import type { Metrics } from '@varve/broker'
import type { ServerContext } from '../base/server-context.ts'
import { type HttpExchange, type HttpRoute, sendText } from './http-route.ts'
import { kafkaMetrics, type ListenerFacts, type MeasuredServer } from './kafka-metrics.ts'
import { TopicCounters } from './topic-counters.ts'

/** What is counted, and where the rest can be seen. */
export interface Measured extends Pick<MeasuredServer, 'traffic' | 'throttling'> {
  readonly context: Pick<ServerContext, 'varve' | 'parts' | 'clock'>
}

/** `/metrics`: what Prometheus scrapes. Counting begins with the route, and ends with `close`. */
export class MetricsRoute implements HttpRoute {
  readonly path = '/metrics'
  readonly methods: readonly string[] = ['GET']
  readonly #metrics: Metrics
  readonly #server: MeasuredServer

  constructor(measured: Measured, listeners: () => readonly ListenerFacts[]) {
    this.#metrics = measured.context.varve.metrics()
    this.#server = { ...measured, listeners, topics: new TopicCounters() }
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
