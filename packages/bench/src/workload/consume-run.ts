import {
  type Consumer,
  type ConsumerRecord,
  readVarve,
  type TopicPartition,
  type Varve,
} from '@varve/broker'
import type { Measurement } from '../report/run-report.ts'
import type { BenchPlace } from './bench-place.ts'
import { type RunContext, RunGauges } from './run-gauges.ts'

/** How a topic is read. */
export interface ConsumingLoad {
  readonly consumers: number
  /**
   * In the name of a group, which shares the partitions out, from where it has committed; null:
   * each consumer has its share of them assigned, from the start.
   */
  readonly group: string | null
  /** Read at most so many records, of all consumers together; null to the end. */
  readonly records: number | null
  readonly fetchBytes: number
  /** Read so long beforehand, from the start, without counting. */
  readonly warmUpMs: number
}

/** What gives consumers: an open directory or cluster, or a reader of one. */
type ConsumerSource = Pick<Varve, 'consumer'>

/** Where records are read. */
export interface ReadablePlace {
  readonly source: ConsumerSource
  readonly topic: string
  readonly partitions: number
}

/** Reads a topic that is there already, beside whoever writes it, without writing anything. */
export async function withReader<Result>(
  directory: string,
  topic: string,
  use: (place: ReadablePlace) => Promise<Result>,
): Promise<Result> {
  await using reader = await readVarve(directory)
  const { partitions } = await reader.describeTopic(topic)
  const source = reader as ConsumerSource
  return await use({ source, topic, partitions: partitions.length })
}

export function readablePlace({ varve, topic, partitions }: BenchPlace): ReadablePlace {
  return { source: varve, topic, partitions }
}

/** The clock is read, and taken note of, once for so many records. */
const recordsPerNote = 64
const autoCommitMs = 5000

/**
 * Reads records from the start of a topic to its end, or to as many as were asked for. The time
 * until every consumer has its partitions is told beside.
 */
export async function runConsuming(
  place: ReadablePlace,
  load: ConsumingLoad,
  context: RunContext,
): Promise<Measurement> {
  const { clock } = context
  if (load.warmUpMs > 0) {
    const endMs = clock.monotonic() + load.warmUpMs
    const isOver = (): boolean => clock.monotonic() >= endMs
    // In the name of the group it would commit what is to be read again.
    const own = { ...load, group: null }
    await readAll(place, own, context, { start: () => undefined, note: () => isOver() })
  }
  using gauges = new RunGauges(context, false)
  let readyMs = clock.monotonic()
  const startedMs = readyMs
  await readAll(place, load, context, {
    start: () => {
      readyMs = clock.monotonic()
      gauges.startCounting()
    },
    note: (records, bytes) => {
      gauges.series.count(clock.monotonic(), bytes, records)
      return false
    },
  })
  const rebalanceMs = readyMs - startedMs
  return gauges.measurement({ rate: null, latencyKind: null, isSpinning: false, rebalanceMs })
}

interface ReadingHooks {
  /** Every consumer has been started. */
  start(): void
  /** Some records more; whether that is enough. */
  note(records: number, bytes: number): boolean
}

async function readAll(
  place: ReadablePlace,
  load: ConsumingLoad,
  { signal }: RunContext,
  hooks: ReadingHooks,
): Promise<void> {
  const consumers = openConsumers(place, load, signal)
  let left = load.records ?? Number.POSITIVE_INFINITY
  try {
    await Promise.all(consumers.map((consumer) => consumer.start()))
    hooks.start()
    await Promise.all(
      consumers.map(async (consumer) => {
        let records = 0
        let bytes = 0
        for (;;) {
          const { done, value: record } = left > 0 ? await consumer.next() : ended
          if (done !== true) {
            left -= 1
            records += 1
            bytes += sizeOf(record)
          }
          if (records === recordsPerNote || done === true) {
            if (records > 0 && hooks.note(records, bytes)) left = 0
            records = 0
            bytes = 0
          }
          if (done === true) return
        }
      }),
    )
  } finally {
    await Promise.all(consumers.map((consumer) => consumer.close()))
  }
}

const ended = { done: true, value: undefined } as const

function openConsumers(
  { source, topic, partitions }: ReadablePlace,
  { consumers, group, fetchBytes }: ConsumingLoad,
  signal: AbortSignal | undefined,
): readonly Consumer[] {
  const options = { follow: false, fetchBytes, ...(signal !== undefined && { signal }) }
  // In a group the ones too many wait; without one there is nothing that they could read.
  const length = group === null ? Math.min(consumers, partitions) : consumers
  return Array.from({ length }, (_, index) => {
    if (group !== null) {
      return source.consumer({ ...options, group, topics: [topic], autoCommitMs })
    }
    const assignment: TopicPartition[] = []
    for (let partition = index; partition < partitions; partition += consumers) {
      assignment.push({ topic, partition })
    }
    return source.consumer({ ...options, assignment })
  })
}

/** Looks at key and value, as whoever reads records does. */
function sizeOf({ key, value }: ConsumerRecord): number {
  return (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
}
