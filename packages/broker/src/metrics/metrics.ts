import type { Repository } from '@varve/backup'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { BackupMetrics, type WatchOptions } from './backup-metrics.ts'
import { ConsumerCounters } from './consumer-counters.ts'
import { EngineCounters } from './engine-counters.ts'
import type { MetricsSource } from './measured.ts'
import { addStateGauges } from './state-gauges.ts'

/** Where metrics are registered, and which. */
export interface MetricsOptions {
  /** Where the metrics go; a registry of their own unless one is given. */
  readonly registry?: Registry
  /** The process too: memory, processor, event-loop delay, collections. @defaultValue true */
  readonly processMetrics?: boolean
}

/**
 * What happens in this process and how things stand in its data directory, for Prometheus:
 *
 * ```ts
 * const metrics = varve.metrics()
 * createServer(async (_request, response) => {
 *   response.setHeader('content-type', metrics.contentType)
 *   response.end(await metrics.text())
 * }).listen(9464, '127.0.0.1')
 * ```
 *
 * Counters are of everything that the engine does in the process; when it has several data
 * directories open, of all of them together. Gauges are of one directory. Times are in seconds.
 */
export class Metrics {
  readonly registry: Registry
  readonly #engine: EngineCounters
  readonly #consumers: ConsumerCounters
  readonly #backups: BackupMetrics

  constructor(source: MetricsSource, options: MetricsOptions = {}) {
    this.registry = options.registry ?? new Registry()
    this.#engine = new EngineCounters(this.registry)
    this.#consumers = new ConsumerCounters(this.registry)
    this.#backups = new BackupMetrics(this.registry)
    addStateGauges(this.registry, source)
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry })
  }

  /** Shows how a backup repository stands, until {@link unwatch}; it must be open so long. */
  watch(repository: Repository, options: WatchOptions = {}): void {
    this.#backups.watch(repository, options)
  }

  /** Looks at it no more. */
  unwatch(repository: Repository): void {
    this.#backups.unwatch(repository)
  }

  /** Of {@link text}, for the HTTP header. */
  get contentType(): string {
    return this.registry.contentType
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  /** Counts no more. What was counted stays in the registry. */
  close(): void {
    this.#engine.close()
    this.#consumers.close()
    this.#backups.close()
  }
}
