import { Gauge, type Registry } from 'prom-client'
import type { MeasuredGroup, MeasuredLog, MeasuredQueue, MetricsSource } from './measured.ts'

/** What there is at the moment of a scrape: logs, groups and queues. Costs nothing in between. */
export function addStateGauges(registry: Registry, source: MetricsSource): void {
  const ofLogs: Family<MeasuredLog> = {
    registry,
    labelNames: ['topic', 'partition'],
    items: () => source.logs(),
    labelsOf: ({ topic, partition }) => ({ topic, partition }),
  }
  addGauge(ofLogs, 'log_size_bytes', 'Bytes of a partition’s segments.', (log) => log.sizeBytes)
  addGauge(ofLogs, 'log_segments', 'Segments of a partition.', (log) => log.segments)
  addGauge(ofLogs, 'log_start_offset', 'Its first record.', (log) => log.logStartOffset)
  addGauge(ofLogs, 'log_high_watermark', 'Records below are visible.', (log) => log.highWatermark)
  addGauge(ofLogs, 'log_end_offset', 'What the next record gets.', (log) => log.logEndOffset)

  const ofGroups: Family<MeasuredGroup> = {
    registry,
    labelNames: ['group', 'topic', 'partition'],
    items: () => source.groups(),
    labelsOf: ({ group, topic, partition }) => ({ group, topic, partition }),
  }
  addGauge(ofGroups, 'group_lag', 'Records that a group has yet to read.', ({ lag }) => lag)
  addGauge(
    ofGroups,
    'group_committed_offset',
    'Where a group goes on.',
    (group) => group.committedOffset,
  )

  const ofQueues: Family<MeasuredQueue> = {
    registry,
    labelNames: ['queue'],
    items: () => source.queues(),
    labelsOf: ({ queue }) => ({ queue }),
  }
  addGauge(ofQueues, 'queue_length', 'Records that wait in a queue.', ({ length }) => length)
  addGauge(
    ofQueues,
    'queue_in_flight',
    'Records that were dequeued and are not settled.',
    ({ inFlight }) => inFlight,
  )
  addGauge(
    ofQueues,
    'queue_oldest_age_seconds',
    'Age of the oldest record of a queue.',
    ({ oldestAgeMs }) => oldestAgeMs / 1000,
  )

  const directory: Family<MetricsSource> = {
    ...{ registry, labelNames: [], items: () => [source] },
    labelsOf: () => ({}),
  }
  addGauge(
    directory,
    'retention_held',
    '1 where what was restored is kept until it is released.',
    () => (source.isRetentionHeld() ? 1 : 0),
  )
}

/** Gauges with a series for each of the same things. */
interface Family<Item> {
  readonly registry: Registry
  readonly labelNames: string[]
  items(): Iterable<Item>
  labelsOf(item: Item): Record<string, string | number>
}

function addGauge<Item>(
  { registry, labelNames, items, labelsOf }: Family<Item>,
  name: string,
  help: string,
  measure: (item: Item) => number,
): void {
  new Gauge({
    name: `varve_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect(): void {
      // What is gone has no series any more.
      this.reset()
      for (const item of items()) this.set(labelsOf(item), measure(item))
    },
  })
}
