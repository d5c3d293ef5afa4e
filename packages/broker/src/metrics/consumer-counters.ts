import { Counter, type Registry } from 'prom-client'
import { brokerChannels } from '../base/diagnostics.ts'
import { Subscriptions } from './subscriptions.ts'

/** Counts what the consumers of this process read, by topic. */
export class ConsumerCounters {
  readonly #subscriptions = new Subscriptions()

  constructor(registry: Registry) {
    const labelNames = ['topic']
    const registers = [registry]
    const records = new Counter({
      name: 'varve_read_records_total',
      help: 'Records given to consumers.',
      labelNames,
      registers,
    })
    const bytes = new Counter({
      name: 'varve_read_bytes_total',
      help: 'Bytes of the batches that were read for consumers.',
      labelNames,
      registers,
    })
    this.#subscriptions.add(brokerChannels.read, (event) => {
      records.inc({ topic: event.topic }, event.records)
      bytes.inc({ topic: event.topic }, event.sizeBytes)
    })
  }

  /** Counts no more. */
  close(): void {
    this.#subscriptions.end()
  }
}
