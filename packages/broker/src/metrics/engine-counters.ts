import {
  type AppendEvent,
  type DeleteEvent,
  type FlushEvent,
  logChannels,
  type RecoverEvent,
  type ReplaceEvent,
  type RollEvent,
  type SegmentInfo,
  type WriteEvent,
} from '@varve/log'
import { Counter, Histogram, type Registry } from 'prom-client'
import { Subscriptions } from './subscriptions.ts'

/** In seconds; from 25 µs on, so that flushes of fast disks and of slow ones can be told apart. */
const secondsBuckets: number[] = [
  25e-6, 50e-6, 75e-6, 100e-6, 150e-6, 200e-6, 250e-6, 300e-6, 400e-6, 500e-6, 750e-6, 1e-3, 1.5e-3,
  2e-3, 3e-3, 5e-3, 7.5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5,
]

const recordsBuckets: number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 1e5]

/** Counts what the engine of this process does, from its events: a few operations per group. */
export class EngineCounters {
  readonly #registry: Registry
  readonly #subscriptions = new Subscriptions()

  constructor(registry: Registry) {
    this.#registry = registry
    this.#appending()
    this.#flushing()
    this.#segments()
    this.#troubles()
  }

  /** Counts no more. */
  close(): void {
    this.#subscriptions.end()
  }

  #appending(): void {
    const appends = this.#counter('appends_total', 'Appends acknowledged: calls, not records.')
    const records = this.#counter('appended_records_total', 'Records acknowledged.')
    const bytes = this.#counter('appended_bytes_total', 'Bytes of batches written to logs.')
    const seconds = this.#histogram('write_seconds', 'Time to hand a group to the kernel.')
    this.#subscriptions.add<AppendEvent>(logChannels.append, (event) => {
      appends.inc(event.appends)
      records.inc(event.nextOffset - event.firstOffset)
    })
    this.#subscriptions.add<WriteEvent>(logChannels.write, (event) => {
      bytes.inc(event.sizeBytes)
      seconds.observe(event.durationMs / 1000)
    })
  }

  #flushing(): void {
    const flushes = this.#counter('flushes_total', 'Flushes (fdatasync) of log data.')
    const seconds = this.#histogram('flush_seconds', 'Time that a flush took.')
    const records = this.#histogram(
      'flush_records',
      'Records that a flush made durable: the size of the group.',
      recordsBuckets,
    )
    this.#subscriptions.add<FlushEvent>(logChannels.flush, (event) => {
      flushes.inc()
      seconds.observe(event.durationMs / 1000)
      records.observe(event.records)
    })
  }

  #segments(): void {
    const rolls = this.#counter('segment_rolls_total', 'Segments sealed, by reason.', ['reason'])
    const deleted = this.#counter('deleted_bytes_total', 'Bytes of segments deleted, by reason.', [
      'reason',
    ])
    const compacted = this.#counter(
      'compacted_bytes_total',
      'Bytes that compaction took out of logs: what it replaced less what it put there.',
    )
    this.#subscriptions.add<RollEvent>(logChannels.roll, ({ reason }) => rolls.inc({ reason }))
    this.#subscriptions.add<DeleteEvent>(logChannels.delete, ({ reason, segments }) => {
      deleted.inc({ reason }, bytesOf(segments))
    })
    this.#subscriptions.add<ReplaceEvent>(logChannels.replace, ({ replaced, added }) => {
      compacted.inc(Math.max(0, bytesOf(replaced) - bytesOf(added)))
    })
  }

  #troubles(): void {
    const recovered = this.#counter('recoveries_total', 'Logs recovered after an unclean shutdown.')
    const corruptions = this.#counter('corruptions_total', 'Times that damage was met.')
    const offline = this.#counter('logs_offline_total', 'Logs that a storage failure took offline.')
    this.#subscriptions.add<RecoverEvent>(logChannels.recover, () => recovered.inc())
    this.#subscriptions.add(logChannels.corruption, () => corruptions.inc())
    this.#subscriptions.add(logChannels.offline, () => offline.inc())
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `varve_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram(name: string, help: string, buckets: number[] = secondsBuckets): Histogram {
    return new Histogram({ name: `varve_${name}`, help, buckets, registers: [this.#registry] })
  }
}

function bytesOf(segments: readonly SegmentInfo[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
