import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { Cleaner } from '@varve/cleaner'
import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { type PayloadRecord, payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'
import { eagerRequests, pacedRequests } from './paced-requests.ts'

const MiB = 2 ** 20
const recordBytes = 1024
const segmentBytes = 32 * MiB
const recordsPerBatch = 16

/** Requests of one kind while something goes on; how long each took, in milliseconds. */
type Load = (bench: Bench, work: () => Promise<unknown>) => Promise<readonly number[]>

const loads: Readonly<Record<string, Load>> = {
  '500 appends a second, flushed': ({ live, record }, work) =>
    pacedRequests(500, (index) => live.append(record(index), { acks: 'flushed' }), work),
  '500 appends a second, written': ({ live, record }, work) =>
    pacedRequests(500, (index) => live.append(record(index), { acks: 'written' }), work),
  '2,000 appends a second, flushed': ({ live, record }, work) =>
    pacedRequests(2000, (index) => live.append(record(index), { acks: 'flushed' }), work),
  '500 appends a second to the log that is compacted, flushed': ({ dirty, record }, work) =>
    pacedRequests(500, (index) => dirty.append(record(index), { acks: 'flushed' }), work),
  '500 reads of 64 KiB a second': ({ read, place }, work) =>
    pacedRequests(500, (index) => read.read({ from: place(index), maxBytes: 65_536 }), work),
  'appends of 16 callers at full speed, flushed': ({ live, record }, work) =>
    eagerRequests(16, (index) => live.append(record(index), { acks: 'flushed' }), work),
}

/** Open loops but for the last one: a request is due whether or not the one before is answered. */
export const appendsBesideCompaction: Benchmark = {
  name: 'appends-beside-compaction',
  summary: 'the 99th percentile of appends and reads while a log is compacted, and without',
  async run(context) {
    const figures: Figure[] = []
    for (const [name, load] of Object.entries(loads).slice(0, context.size(6, 3))) {
      figures.push(await context.withDirectory((path) => ofLoad(context, path, name, load)))
    }
    return figures
  },
}

async function ofLoad(
  context: BenchmarkContext,
  path: string,
  name: string,
  load: Load,
): Promise<Figure> {
  await using bench = await Bench.open(path, context.size(128 * MiB, MiB))
  return await hold(context, {
    name,
    unit: 'ms',
    measured: beside(bench, load),
    limit: alone(bench, load, context.size(8_000, 100)),
    bar: { kind: 'ratio', atLeast: 1 / 1.5 },
    conditions: {
      figure: '99th percentile, from when a request was due; of the callers, from when they asked',
      requests: 'made by another process, as messages; records of 1 KiB',
      compaction: `one worker at full speed; half of the records of ${bench.dirtyBytes / MiB} MiB stay`,
    },
  })
}

/** The same was written before, so that disk and memory are in the same state. */
function alone(bench: Bench, load: Load, durationMs: number): Contender {
  const measure = async () => {
    await bench.makeDirty()
    return sampleOf(await load(bench, () => setTimeout(durationMs)))
  }
  return { name: 'the same without compaction', measure }
}

function beside(bench: Bench, load: Load): Contender {
  const measure = async () => {
    await bench.makeDirty()
    return sampleOf(await load(bench, () => bench.compact()))
  }
  return { name: 'beside Cleaner.runOnce', measure }
}

function sampleOf(latencies: readonly number[]) {
  const sorted = latencies.toSorted((one, two) => one - two)
  const value = sorted[Math.floor(sorted.length * 0.99)]
  assert.ok(value !== undefined, 'there were requests')
  return { value, hash: hashOfNumbers(0.99) }
}

/** A log to append to, one to read from, and one that is compacted again and again. */
class Bench implements AsyncDisposable {
  readonly live: Log
  readonly read: Log
  readonly dirty: Log
  readonly dirtyBytes: number
  readonly #directory: LogDirectory
  readonly #cleaner: Cleaner
  readonly #records: readonly PayloadRecord[] = payloadOf(recordBytes, 1024).records
  #isDirty = false

  private constructor(directory: LogDirectory, logs: readonly Log[], dirtyBytes: number) {
    const [live, read, dirty] = logs
    assert.ok(live !== undefined && read !== undefined && dirty !== undefined, 'three logs')
    this.live = live
    this.read = read
    this.dirty = dirty
    this.dirtyBytes = dirtyBytes
    this.#directory = directory
    const policy = (log: Log) =>
      log === dirty ? { cleanupPolicy: ['compact'] as const } : { retentionMs: -1 }
    this.#cleaner = new Cleaner(directory, { policy, workers: 1 })
  }

  static async open(path: string, dirtyBytes: number): Promise<Bench> {
    const directory = await LogDirectory.open(path, { log: { segmentBytes } })
    const logs: Log[] = []
    for (const topic of ['live', 'read', 'dirty']) logs.push(await directory.createLog(topic, 0))
    const bench = new Bench(directory, logs, dirtyBytes)
    await bench.#fill(bench.read, dirtyBytes / 4, Number.POSITIVE_INFINITY)
    return bench
  }

  record = (index: number): PayloadRecord => {
    const record = this.#records[index % this.#records.length]
    assert.ok(record !== undefined, 'there are records')
    return record
  }

  /** An offset of the log that is read, far from the one before. */
  place = (index: number): number => (index * 7919 * recordsPerBatch) % this.read.highWatermark

  /** Unless it is dirty already, because nothing has compacted it since. */
  async makeDirty(): Promise<void> {
    if (this.#isDirty) return
    await this.#fill(this.dirty, this.dirtyBytes, this.dirtyBytes / recordBytes / 2)
    this.#isDirty = true
  }

  async compact(): Promise<void> {
    const { compaction } = await this.#cleaner.runOnce()
    assert.deepEqual([...compaction.keys()], [this.dirty.name], 'the log was compacted')
    this.#isDirty = false
  }

  async #fill(log: Log, sizeBytes: number, keys: number): Promise<void> {
    const count = sizeBytes / recordBytes
    for (let first = 0; first < count; first += recordsPerBatch) {
      const batch = Array.from({ length: recordsPerBatch }, (_, index) => ({
        key: `user-${String((first + index) % keys).padStart(7, '0')}`,
        value: this.record(first + index).value,
      }))
      await log.append(batch, { acks: 'none' })
    }
    await log.roll()
    await log.flush()
    await log.settle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleaner.close()
    await this.#directory.close()
  }
}
