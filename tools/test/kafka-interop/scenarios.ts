import type { BatchOptions, CompressionType } from '@varve/record'
import { bulkRecords, oddRecords, sampleBytes } from './record-samples.ts'
import type { BatchStep, MarkerStep, Scenario, TimedRecord } from './scenario.ts'

export const compressionTypes: readonly CompressionType[] = [
  'none',
  'gzip',
  'snappy',
  'lz4',
  'zstd',
]

const start = 1_700_000_000_000
const minute = 60_000

/** The time at which a log stamps its records. */
export const stampedAt: number = start + 60 * minute

const plain = { startOffset: 0, segmentBytes: 2 ** 20 }

/** Logs that together hold every kind of batch. */
export const scenarios: readonly Scenario[] = [
  ...compressionTypes.map((type) => ({ ...plain, name: `codec-${type}`, steps: codecSteps(type) })),
  { ...plain, name: 'segments', segmentBytes: 64 * 1024, steps: segmentSteps() },
  { ...plain, name: 'idempotent', steps: idempotentSteps() },
  { ...plain, name: 'transactions', segmentBytes: 6000, steps: transactionSteps() },
  {
    ...plain,
    name: 'log-append-time',
    logAppendTime: stampedAt,
    steps: codecSteps('lz4'),
  },
]

/** A log whose offsets need more than 32 bits. */
export const distantScenario: Scenario = {
  ...plain,
  name: 'distant',
  startOffset: 5_000_000_000,
  segmentBytes: 64 * 1024,
  steps: segmentSteps(),
}

function batch(
  options: BatchOptions,
  records: readonly TimedRecord[],
  outcome?: NonNullable<BatchStep['outcome']>,
): BatchStep {
  return { kind: 'batch', options, records, ...(outcome === undefined ? {} : { outcome }) }
}

function codecSteps(compressionType: CompressionType): readonly BatchStep[] {
  const noise = [0, 1, 2].map((i) => ({
    key: `noise-${i}`,
    value: sampleBytes(i, 40_000),
    timestamp: start + 3 * minute + i,
  }))
  return [
    batch({ compressionType }, oddRecords(start)),
    batch({ compressionType }, [{ key: 'one', value: 'record', timestamp: start + minute }]),
    batch({ compressionType }, bulkRecords(1, start + 2 * minute, 150_000)),
    batch({ compressionType }, noise),
  ]
}

/** Batches of every codec in turn, enough of them for several segments and many index entries. */
function segmentSteps(): readonly BatchStep[] {
  return Array.from({ length: 80 }, (_, i) => {
    const compressionType = compressionTypes[i % compressionTypes.length] ?? 'none'
    const base = start + i * minute
    const records = i % 9 === 0 ? oddRecords(base) : bulkRecords(i, base, 3000 + (i % 7) * 1500)
    return batch({ compressionType }, records)
  })
}

/** Three producers in turn; the sequence of one of them passes the largest and goes on at 0. */
function idempotentSteps(): readonly BatchStep[] {
  const producers = [
    { producerId: 4000, producerEpoch: 0, sequence: 0 },
    { producerId: 4001, producerEpoch: 7, sequence: 2_147_483_640 },
    { producerId: 5_000_000_000, producerEpoch: 1, sequence: 0 },
  ]
  const steps: BatchStep[] = []
  for (let i = 0; i < 30; i++) {
    const producer = producers[i % producers.length] as (typeof producers)[number]
    const { sequence: baseSequence, ...identity } = producer
    const compressionType = compressionTypes[i % compressionTypes.length] ?? 'none'
    const records = Array.from({ length: 1 + (i % 4) }, (_, j) => ({
      key: `producer ${producer.producerId}`,
      value: `batch ${i}, record ${j}`,
      timestamp: start + i * minute + j,
    }))
    steps.push(batch({ ...identity, baseSequence, compressionType }, records))
    producer.sequence = (baseSequence + records.length) % 2 ** 31
  }
  return steps
}

/**
 * Two producers whose transactions overlap, end both ways and reach over segments, plain batches
 * between them, and a third transaction that never ends.
 */
function transactionSteps(): readonly (BatchStep | MarkerStep)[] {
  const sequences = new Map<number, number>()
  const coordinatorEpoch = 3
  let clock = start
  const data = (producerId: number, outcome: NonNullable<BatchStep['outcome']>): BatchStep => {
    const baseSequence = sequences.get(producerId) ?? 0
    clock += minute
    const records = bulkRecords(clock / minute, clock, 1500)
    sequences.set(producerId, baseSequence + records.length)
    const identity = { producerId, producerEpoch: 0, baseSequence, isTransactional: true }
    return batch({ ...identity, compressionType: 'lz4' }, records, outcome)
  }
  const end = (producerId: number, type: 'abort' | 'commit'): MarkerStep => {
    clock += minute
    const identity = { producerId, producerEpoch: 0, coordinatorEpoch }
    return { kind: 'marker', type, ...identity, timestamp: clock }
  }
  const plainBatch = (): BatchStep => {
    clock += minute
    return batch({}, bulkRecords(clock / minute, clock, 1000))
  }
  const steps: (BatchStep | MarkerStep)[] = []
  for (let round = 0; round < 6; round++) {
    const first = round % 2 === 0 ? 'committed' : 'aborted'
    const second = round % 3 === 0 ? 'aborted' : 'committed'
    steps.push(data(6000, first), data(6001, second), plainBatch(), data(6000, first))
    steps.push(end(6000, first === 'committed' ? 'commit' : 'abort'))
    steps.push(data(6001, second), end(6001, second === 'committed' ? 'commit' : 'abort'))
  }
  steps.push(plainBatch(), data(6002, 'open'), plainBatch())
  return steps
}
