import {
  type CompressionType,
  endTransactionMarkerBatch,
  type RecordBatch,
  RecordBatchBuilder,
  type RecordInput,
} from '@varve/record'
import { legacyEntry, legacyWrapper } from '../../../record/test/legacy-entries.ts'
import type { LogOptions } from '../../src/base/log-options.ts'
import type { Log } from '../../src/log.ts'
import { LogDirectory } from '../../src/log-directory.ts'
import { ManualClock, Random, SimulatedFileSystem } from '../../src/testing/index.ts'

/** A data directory `/data` with the log `t-0`, closed cleanly, and what its records are. */
export interface Shape {
  readonly name: string
  readonly fs: SimulatedFileSystem
  readonly records: readonly string[]
  /** What a reader of committed records sees. */
  readonly committed: readonly string[]
  /** The answers to looking for each of {@link soughtTimestamps}. */
  readonly found: readonly string[]
}

export const directory = '/data/t-0'
const startMs = Date.UTC(2026, 0, 1)

/** Before, among and after the records' timestamps. */
export const soughtTimestamps: readonly number[] = [
  0,
  startMs,
  startMs + 3,
  startMs + 1500,
  startMs + 6000,
  startMs + 9500,
  startMs + 14_000,
  startMs + 10 ** 9,
]

export const openOptions = (fs: SimulatedFileSystem, log: LogOptions = {}) => ({
  fs,
  clock: new ManualClock(),
  random: (): number => 0.5,
  log: { indexIntervalBytes: 100, ...log },
})

/** Makes a shape: `fill` appends to the log, which is then closed. */
async function make(
  name: string,
  fill: (log: Log) => Promise<void>,
  options: {
    readonly prepare?: (fs: SimulatedFileSystem) => void
    readonly isKilled?: boolean
  } = {},
): Promise<Shape> {
  const fs = new SimulatedFileSystem()
  options.prepare?.(fs)
  const data = await LogDirectory.open('/data', openOptions(fs))
  const log = data.logs.get('t-0') ?? (await data.createLog('t', 0))
  await fill(log)
  const killed = options.isKilled === true ? fs.fork() : null
  await data.close()
  const left = killed ?? fs
  left.settle()
  const records = await readAll(left, 'uncommitted')
  const committed = await readAll(left, 'committed')
  const found = await findAll(left)
  return { name, fs: left, records, committed, found }
}

async function findAll(fs: SimulatedFileSystem): Promise<readonly string[]> {
  const data = await LogDirectory.open('/data', openOptions(fs.fork()))
  const found: string[] = []
  for (const timestamp of soughtTimestamps) {
    found.push(JSON.stringify(await data.log('t', 0).offsetForTimestamp(timestamp)))
  }
  await data.close()
  return found
}

/** Every record as text, in the order in which a reader gets them. */
async function readAll(
  fs: SimulatedFileSystem,
  isolation: 'committed' | 'uncommitted',
): Promise<readonly string[]> {
  const data = await LogDirectory.open('/data', openOptions(fs.fork()))
  const log = data.log('t', 0)
  const records: string[] = []
  for await (const batch of log.reader({ from: log.logStartOffset, isolation })) {
    for (const record of batch.records()) records.push(describe(record))
  }
  await data.close()
  return records
}

/** All that a record is. */
export function describe(record: {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}): string {
  const { offset, timestamp, key, value } = record
  return `${offset} ${timestamp} ${key?.toString('latin1')} ${value?.toString('latin1')}`
}

const event = (index: number): RecordInput => ({
  key: `key-${index % 5}`,
  value: `{"event":"seen","number":${index}}`,
  // Not in order, so that the time index has to be looked at.
  timestamp: startMs + index * 1000 - (index % 3) * 2500,
  ...(index % 4 === 0 && { headers: [{ key: 'h', value: null }] }),
})

const events = (from: number, count: number): RecordInput[] =>
  Array.from({ length: count }, (_, index) => event(from + index))

async function appendAndRoll(
  log: Log,
  compressionType: CompressionType,
  sizes: readonly (readonly number[])[],
): Promise<void> {
  let next = 0
  for (const [segment, batches] of sizes.entries()) {
    if (segment > 0) await log.roll()
    for (const count of batches) {
      await log.append(events(next, count), { compressionType })
      next += count
    }
  }
}

export function plain(compressionType: CompressionType): Promise<Shape> {
  return make(`codec ${compressionType}`, (log) =>
    appendAndRoll(log, compressionType, [
      [3, 1, 4],
      [2, 5],
      [1, 2],
    ]),
  )
}

export function tiny(): Promise<Shape> {
  return make('tiny batches', async (log) => {
    for (let index = 0; index < 12; index += 1) {
      if (index === 5 || index === 9) await log.roll()
      await log.append({ value: null, timestamp: startMs + index })
    }
  })
}

/** Producers 1 and 2, a commit, aborts, one that spans segments, one that stays open. */
export function transactional(): Promise<Shape> {
  return make('transactional', async (log) => {
    const sequences = new Map<number, number>()
    const data = (producerId: number, count: number): Promise<unknown> => {
      const baseSequence = sequences.get(producerId) ?? 0
      sequences.set(producerId, baseSequence + count)
      return log.appendBatch(transactionalBatch(producerId, baseSequence, count))
    }
    const end = (producerId: number, type: 'abort' | 'commit'): Promise<unknown> => {
      const timestamp = startMs
      const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 1, timestamp }
      return log.appendBatch(endTransactionMarkerBatch(marker), { origin: 'coordinator' })
    }
    await data(1, 2)
    await data(2, 1)
    await end(1, 'abort')
    await log.append({ value: 'plain', timestamp: startMs })
    await log.roll()
    await data(1, 2)
    await end(2, 'commit')
    await data(2, 2)
    await end(1, 'commit')
    await end(2, 'abort')
    await log.roll()
    await data(1, 1)
    await data(2, 1)
    await end(1, 'abort')
  })
}

function transactionalBatch(producerId: number, baseSequence: number, count: number): RecordBatch {
  const options = { producerId, producerEpoch: 0, baseSequence, isTransactional: true }
  const builder = new RecordBatchBuilder({ ...options, defaultTimestamp: startMs })
  for (let index = 0; index < count; index += 1) {
    builder.append({ key: `p${producerId}`, value: `${baseSequence + index}` })
  }
  return builder.build()
}

/** A segment as Kafka before 0.11 wrote it, then sealed by Varve, with a new one after it. */
export function legacy(magic: 0 | 1): Promise<Shape> {
  const entry = (offset: number): Buffer =>
    legacyEntry({
      magic,
      offset,
      key: `k${offset}`,
      value: `v${offset}`,
      timestamp: startMs + offset,
    })
  const inner = [0, 1, 2].map((index) =>
    legacyEntry({
      magic,
      offset: magic === 0 ? 4 + index : index,
      value: `in ${index}`,
      timestamp: startMs + 9,
    }),
  )
  const wrapper = legacyWrapper({ magic, offset: 6, timestamp: startMs + 9 }, 'gzip', inner)
  const bytes = Buffer.concat([...[0, 1, 2, 3].map(entry), wrapper, entry(7)])
  return make(
    `magic ${magic}`,
    async (log) => {
      await log.roll()
      await log.append(events(8, 3))
    },
    { prepare: (fs) => fs.writeBytes(`${directory}/00000000000000000000.log`, bytes) },
  )
}

/** A log whose first records were deleted, up to the middle of a segment. */
export function trimmed(): Promise<Shape> {
  return make('trimmed', async (log) => {
    const sizes = [[2, 2], [3, 2, 4], [2]]
    await appendAndRoll(log, 'none', sizes)
    await log.deleteSegmentsBefore(7)
  })
}

/** A log whose process was killed when everything was flushed. */
export function killed(): Promise<Shape> {
  const fill = (log: Log): Promise<void> => appendAndRoll(log, 'none', [[3, 4], [2, 2], [3]])
  return make('killed', fill, { isKilled: true })
}

const words = 'silt sand clay spring melt summer algae autumn storm winter ice layer'.split(' ')

/** One large sealed segment, of some KiB of text a record, in batches of many sizes. */
export function large(sizeBytes: number, seed: number): Promise<Shape> {
  const random = new Random(seed)
  const text = (): string => Array.from({ length: 300 }, () => random.pick(words)).join(' ')
  return make('large', async (log) => {
    let next = 0
    while ((log.segments()[0]?.sizeBytes ?? 0) < sizeBytes) {
      const count = random.between(1, 20)
      const compressionType = random.pick(['none', 'none', 'none', 'lz4', 'zstd'] as const)
      const records = events(next, count).map((record) => ({ ...record, value: text() }))
      await log.append(records, { compressionType, acks: 'written' })
      next += count
    }
    await log.roll()
    await log.append(events(next, 2))
  })
}

export const smallShapes: readonly (() => Promise<Shape>)[] = [
  () => plain('none'),
  () => plain('gzip'),
  () => plain('snappy'),
  () => plain('lz4'),
  () => plain('zstd'),
  tiny,
  transactional,
  trimmed,
  killed,
  () => legacy(0),
  () => legacy(1),
]
