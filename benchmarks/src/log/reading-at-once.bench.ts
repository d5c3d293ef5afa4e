import assert from 'node:assert/strict'
import { type Log, LogDirectory } from '@varve/log'
import { crc32c } from '@varve/record'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOf } from '../harness/result-hash.ts'
import { withNewLog } from './log-under-test.ts'
import { type PreparedBatches, prepareBatches } from './prepared-batches.ts'
import { randomReads, recordsByOffset } from './random-reads.ts'

const MiB = 2 ** 20
const batchBytes = 64 * 1024

export const readingAtOnce: Benchmark = {
  name: 'reading-at-once',
  summary: 'readers of several partitions, and single reads, at once, beside one at a time',
  async run(context) {
    const figures: Figure[] = []
    for (const recordBytes of [100, 1024, 10_240]) {
      const prepared = prepareBatches(recordBytes, batchBytes, context.size(128 * MiB, 4 * MiB))
      for (const partitions of [4, 16, 64]) {
        figures.push(await ofPartitions(context, prepared, partitions))
      }
      figures.push(...(await ofReadsInFlight(context, prepared)))
    }
    return figures
  },
}

async function ofPartitions(
  context: BenchmarkContext,
  prepared: PreparedBatches,
  partitions: number,
): Promise<Figure> {
  const { recordBytes } = prepared.payload
  return await withPartitions(context, prepared, 1, (one) =>
    withPartitions(context, prepared, partitions, (several) =>
      hold(context, {
        name: `${recordBytes} B records of ${partitions} partitions, a reader each`,
        unit: 'records/s',
        measured: readers('log.reader of each', several),
        limit: readers('the same records of one partition', one),
        plot: { curve: `${recordBytes} B records`, along: 'partitions read', at: partitions },
        conditions: conditionsOf(prepared),
      }),
    ),
  )
}

async function ofReadsInFlight(
  context: BenchmarkContext,
  prepared: PreparedBatches,
): Promise<readonly Figure[]> {
  const reads = randomReads(prepared, context.size(10_000, 100))
  return await withNewLog(context, { acks: 'written' }, async (log) => {
    for (const batch of prepared.batches) await log.appendBatch(batch)
    await log.flush()
    const figures: Figure[] = []
    for (const inFlight of [16, 64, 1_024]) {
      figures.push(
        await hold(context, {
          name: `${prepared.payload.recordBytes} B records at random, ${inFlight} in flight`,
          unit: 'reads/s',
          measured: recordsByOffset(log, reads, inFlight),
          limit: { ...recordsByOffset(log, reads), name: 'one at a time' },
          conditions: conditionsOf(prepared),
        }),
      )
    }
    return figures
  })
}

function conditionsOf({ payload, sizeBytes }: PreparedBatches) {
  return {
    payload: payload.description,
    log: `${Math.round(sizeBytes / 1e6)} MB in batches of 64 KiB, in the page cache, CRC checked`,
  }
}

/** Batches go to the partitions by turns. */
function withPartitions<Result>(
  context: BenchmarkContext,
  { batches }: PreparedBatches,
  partitions: number,
  use: (logs: readonly Log[]) => Promise<Result>,
): Promise<Result> {
  return context.withDirectory(async (path) => {
    await using directory = await LogDirectory.open(path, { log: { acks: 'written' } })
    const logs: Log[] = []
    for (let partition = 0; partition < partitions; partition++) {
      logs.push(await directory.createLog('bench', partition))
    }
    for (const [index, batch] of batches.entries()) {
      await logs[index % partitions]?.appendBatch(batch)
    }
    await Promise.all(logs.map((log) => log.flush()))
    return await use(logs)
  })
}

function readers(name: string, logs: readonly Log[]): Contender {
  const measure = async () => {
    let records = 0
    let bytes = 0
    const seconds = await secondsOf(async () => {
      await Promise.all(
        logs.map(async (log) => {
          const reader = log.reader({ from: 0, reuseMemory: true })
          for (let batches = await reader.nextBatches(); batches !== null; ) {
            for (const batch of batches) {
              for (const { key, value } of batch.records()) {
                records += 1
                bytes += (key?.length ?? 0) + (value?.length ?? 0)
              }
            }
            batches = await reader.nextBatches()
          }
        }),
      )
    })
    const sums = await Promise.all(logs.map(sumsOf))
    assert.ok(records > 0 && bytes > 0, 'there was something to read')
    return { value: records / seconds, hash: hashInTurns(sums) }
  }
  return { name, measure }
}

/** Of all bytes of each batch but its offset, which is another one in every partition. */
async function sumsOf(log: Log): Promise<readonly number[]> {
  const sums: number[] = []
  for await (const { bytes } of log.reader({ from: 0 })) sums.push(crc32c(bytes.subarray(16)))
  return sums
}

function hashInTurns(sums: readonly (readonly number[])[]): string {
  const count = sums.reduce((all, { length }) => all + length, 0)
  const inOrder = Uint32Array.from({ length: count }, (_, index) => {
    return sums[index % sums.length]?.[Math.floor(index / sums.length)] ?? 0
  })
  return hashOf(new Uint8Array(inOrder.buffer))
}
