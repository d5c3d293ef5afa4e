import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordBatch } from '@varve/record'
import { batchOf } from './batch-of.ts'
import type { DirectoryMaker } from './directory-maker.ts'
import type { Scenario, Step } from './scenario.ts'
import { distantScenario, scenarios } from './scenarios.ts'

const indexIntervalBytes = 1024

/**
 * Segments put together out of batches by the simplest code that can, without the engine: what
 * Kafka makes of them is said of the batches alone. No producer snapshot: Kafka is to recover it.
 */
export const plainSegments: DirectoryMaker = {
  name: 'batches alone',
  scenarios: [...scenarios, distantScenario],
  closesCleanly: false,
  async make(dataDirectory) {
    for (const scenario of [...scenarios, distantScenario]) {
      const directory = join(dataDirectory, `${scenario.name}-0`)
      mkdirSync(directory)
      writePartition(directory, scenario)
    }
  },
}

function writePartition(directory: string, scenario: Scenario): void {
  const partition: Partition = { directory, ongoing: new Map(), segment: null }
  let offset = scenario.startOffset
  for (const step of scenario.steps) {
    const batch = batchOf(step)
    if (scenario.logAppendTime !== undefined) batch.stampLogAppendTime(scenario.logAppendTime)
    batch.stamp(offset, 0)
    append(partition, batch, step, scenario)
    offset = batch.nextOffset
  }
  seal(partition)
  writeFileSync(join(directory, 'leader-epoch-checkpoint'), `0\n1\n0 ${scenario.startOffset}\n`)
}

interface Partition {
  readonly directory: string
  /** First offset of each producer's open transaction. */
  readonly ongoing: Map<number, number>
  segment: Segment | null
}

interface Segment {
  readonly baseOffset: number
  readonly log: Buffer[]
  readonly index: Buffer[]
  readonly timeIndex: Buffer[]
  readonly transactionIndex: Buffer[]
  sizeBytes: number
  sinceEntryBytes: number
  maxTimestamp: number
  offsetOfMaxTimestamp: number
  indexedTimestamp: number
}

function append(partition: Partition, batch: RecordBatch, step: Step, scenario: Scenario): void {
  const full = (partition.segment?.sizeBytes ?? 0) + batch.sizeBytes > scenario.segmentBytes
  if (full) seal(partition)
  partition.segment ??= emptySegment(batch.baseOffset)
  const { segment } = partition
  if (batch.maxTimestamp > segment.maxTimestamp) {
    segment.maxTimestamp = batch.maxTimestamp
    segment.offsetOfMaxTimestamp = batch.lastOffset
  }
  if (segment.sinceEntryBytes > indexIntervalBytes) {
    const entry = Buffer.alloc(8)
    entry.writeInt32BE(batch.lastOffset - segment.baseOffset, 0)
    entry.writeInt32BE(segment.sizeBytes, 4)
    segment.index.push(entry)
    appendTimeEntry(segment)
    segment.sinceEntryBytes = 0
  }
  segment.log.push(batch.bytes)
  segment.sizeBytes += batch.sizeBytes
  segment.sinceEntryBytes += batch.sizeBytes
  trackTransaction(partition.ongoing, segment, batch, step)
}

function emptySegment(baseOffset: number): Segment {
  return {
    baseOffset,
    log: [],
    index: [],
    timeIndex: [],
    transactionIndex: [],
    sizeBytes: 0,
    sinceEntryBytes: 0,
    maxTimestamp: -1,
    offsetOfMaxTimestamp: baseOffset,
    indexedTimestamp: -1,
  }
}

function appendTimeEntry(segment: Segment): void {
  if (segment.maxTimestamp <= segment.indexedTimestamp) return
  const entry = Buffer.alloc(12)
  entry.writeBigInt64BE(BigInt(segment.maxTimestamp), 0)
  entry.writeInt32BE(segment.offsetOfMaxTimestamp - segment.baseOffset, 8)
  segment.timeIndex.push(entry)
  segment.indexedTimestamp = segment.maxTimestamp
}

/** An aborted transaction gets an entry where its marker lies. */
function trackTransaction(
  ongoing: Map<number, number>,
  segment: Segment,
  batch: RecordBatch,
  step: Step,
): void {
  if (!batch.isTransactional) return
  if (step.kind === 'batch') {
    if (!ongoing.has(batch.producerId)) ongoing.set(batch.producerId, batch.baseOffset)
    return
  }
  const firstOffset = ongoing.get(batch.producerId)
  ongoing.delete(batch.producerId)
  if (firstOffset === undefined || step.type === 'commit') return
  const lastStableOffset = Math.min(batch.nextOffset, ...ongoing.values())
  const entry = Buffer.alloc(34)
  entry.writeBigInt64BE(BigInt(batch.producerId), 2)
  entry.writeBigInt64BE(BigInt(firstOffset), 10)
  entry.writeBigInt64BE(BigInt(batch.lastOffset), 18)
  entry.writeBigInt64BE(BigInt(lastStableOffset), 26)
  segment.transactionIndex.push(entry)
}

function seal(partition: Partition): void {
  const { segment, directory } = partition
  partition.segment = null
  if (segment === null) return
  appendTimeEntry(segment)
  const base = join(directory, String(segment.baseOffset).padStart(20, '0'))
  writeFileSync(`${base}.log`, Buffer.concat(segment.log))
  writeFileSync(`${base}.index`, Buffer.concat(segment.index))
  writeFileSync(`${base}.timeindex`, Buffer.concat(segment.timeIndex))
  if (segment.transactionIndex.length === 0) return
  writeFileSync(`${base}.txnindex`, Buffer.concat(segment.transactionIndex))
}
