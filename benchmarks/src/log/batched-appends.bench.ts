import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Log } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHash, contentHashOfFiles } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Bar, Figure } from '../harness/figure.ts'
import { withNewLog } from './log-under-test.ts'
import { type PreparedBatches, prepareBatches } from './prepared-batches.ts'

const KiB = 1024
const bar: Bar = { kind: 'ratio', atLeast: 0.8 }
/** Of 100 bytes each. */
const recordsPerSecondMin = 5e6

export const batchedAppends: Benchmark = {
  name: 'batched-appends',
  summary: 'appends of many records at once, acknowledged when written',
  async run(context) {
    const figures: Figure[] = []
    for (const recordBytes of [100, KiB, 10 * KiB]) {
      for (const batchBytes of [16 * KiB, 64 * KiB, 256 * KiB, 1024 * KiB]) {
        if (batchBytes < 4 * recordBytes) continue
        figures.push(...(await ofSize(context, recordBytes, batchBytes)))
      }
    }
    return figures
  },
}

async function ofSize(
  context: BenchmarkContext,
  recordBytes: number,
  batchBytes: number,
): Promise<readonly Figure[]> {
  const totalBytes = context.size(128 * KiB * KiB, 2 * KiB * KiB)
  const prepared = prepareBatches(recordBytes, batchBytes, totalBytes)
  const name = `${recordBytes} B, ${batchBytes / KiB} KiB`
  const conditions = {
    payload: prepared.payload.description,
    written: `${Math.round(prepared.sizeBytes / 1e6)} MB into the page cache, one call after the other unless said`,
  }
  const contest = { unit: 'MB/s', limit: bareWrites(context, prepared), bar, conditions } as const
  return [
    await hold(context, {
      ...contest,
      name: `${name} batches`,
      measured: throughLog(context, prepared, 'appendBatch', 1),
    }),
    await hold(context, {
      ...contest,
      name: `${name} batches, 8 in flight`,
      measured: throughLog(context, prepared, 'appendBatch', 8),
    }),
    ...(recordBytes === 100 && batchBytes === 64 * KiB
      ? [await asRecords(context, prepared, name, conditions)]
      : []),
    await hold(context, {
      ...contest,
      name: `${name} arrays of records`,
      measured: throughLog(context, prepared, 'append', 1),
    }),
  ]
}

/** What a user counts. */
async function asRecords(
  context: BenchmarkContext,
  prepared: PreparedBatches,
  name: string,
  conditions: Figure['conditions'],
): Promise<Figure> {
  const records = prepared.recordsOf.reduce((sum, { length }) => sum + length, 0)
  const inRecords = ({ name: contender, measure }: Contender): Contender => ({
    name: contender,
    measure: async () => {
      const { value, hash } = await measure()
      return { value: (value * 1e6 * records) / prepared.sizeBytes, hash }
    },
  })
  return await hold(context, {
    name: `${name} batches, 8 in flight, in records`,
    unit: 'records/s',
    measured: inRecords(throughLog(context, prepared, 'appendBatch', 8)),
    limit: inRecords(bareWrites(context, prepared)),
    bar: { kind: 'value', atLeast: recordsPerSecondMin },
    conditions,
  })
}

function throughLog(
  context: BenchmarkContext,
  prepared: PreparedBatches,
  method: 'append' | 'appendBatch',
  inFlight: number,
): Contender {
  const options = { acks: 'written', maxMessageBytes: 2 * KiB * KiB } as const
  const measure = () =>
    withNewLog(context, options, async (log) => {
      const appendAll = method === 'append' ? appendRecords : appendBatches
      const seconds = await secondsOf(() => appendAll(log, prepared, inFlight))
      const hash = await contentHash(log)
      assert.equal(hash, prepared.contentHash, 'the log holds what was appended')
      return { value: prepared.sizeBytes / 1e6 / seconds, hash }
    })
  return { name: `log.${method}`, measure }
}

async function appendBatches(
  log: Log,
  { batches }: PreparedBatches,
  inFlight: number,
): Promise<void> {
  for (let index = 0; index < batches.length; index += inFlight) {
    const group = batches.slice(index, index + inFlight)
    await Promise.all(group.map((batch) => log.appendBatch(batch)))
  }
}

async function appendRecords(log: Log, { recordsOf }: PreparedBatches): Promise<void> {
  for (const records of recordsOf) await log.append(records)
}

/** The same bytes in the same chunks. */
function bareWrites(context: BenchmarkContext, prepared: PreparedBatches): Contender {
  const measure = () =>
    context.withDirectory(async (path) => {
      const descriptor = openSync(path, 'wx')
      const seconds = await secondsOf(() => {
        let position = 0
        for (const { bytes } of prepared.batches) {
          position += writeSync(descriptor, bytes, 0, bytes.length, position)
        }
      })
      closeSync(descriptor)
      return { value: prepared.sizeBytes / 1e6 / seconds, hash: contentHashOfFiles([path]) }
    })
  return { name: 'bare writeSync of the same bytes in the same chunks', measure }
}
