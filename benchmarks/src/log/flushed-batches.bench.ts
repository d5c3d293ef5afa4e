import assert from 'node:assert/strict'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHash, contentHashOfFiles } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { withNewLog } from './log-under-test.ts'
import { type PreparedBatches, prepareBatches } from './prepared-batches.ts'

const KiB = 1024
const MiB = KiB * KiB

/** Batches in flight together are flushed together; the disk is asked for as much at a time. */
const levels = [
  { batchBytes: 64 * KiB, inFlight: 16 },
  { batchBytes: 64 * KiB, inFlight: 128 },
  { batchBytes: MiB, inFlight: 16 },
] as const

type Level = (typeof levels)[number]

export const flushedBatches: Benchmark = {
  name: 'flushed-batches',
  summary: 'ready-made batches, acknowledged when flushed, beside what the disk takes',
  async run(context) {
    const figures: Figure[] = []
    for (const recordBytes of [100, KiB, 10 * KiB]) {
      for (const level of levels) figures.push(await ofLevel(context, recordBytes, level))
    }
    return figures
  },
}

function ofLevel(context: BenchmarkContext, recordBytes: number, level: Level): Promise<Figure> {
  const { batchBytes, inFlight } = level
  const total = context.size(128 * MiB, 2 * MiB)
  const prepared = prepareBatches(recordBytes, batchBytes, total, inFlight)
  return hold(context, {
    name: `${recordBytes} B, ${batchBytes / KiB} KiB batches, ${inFlight} in flight`,
    unit: 'MB/s',
    measured: throughLog(context, prepared, inFlight),
    limit: bareFlushes(context, prepared, inFlight),
    bar: { kind: 'ratio', atLeast: 0.9 },
    conditions: {
      payload: prepared.payload.description,
      acks: 'flushed',
      written: `${Math.round(prepared.sizeBytes / 1e6)} MB`,
    },
  })
}

function throughLog(
  context: BenchmarkContext,
  { batches, sizeBytes, contentHash: expected }: PreparedBatches,
  inFlight: number,
): Contender {
  const options = { acks: 'flushed', maxMessageBytes: 2 * MiB } as const
  const measure = () =>
    withNewLog(context, options, async (log) => {
      let next = 0
      const call = async (): Promise<void> => {
        for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
          await log.appendBatch(batch)
        }
      }
      const seconds = await secondsOf(async () => {
        await Promise.all(Array.from({ length: inFlight }, call))
      })
      const hash = await contentHash(log)
      assert.equal(hash, expected, 'the log holds what was appended')
      return { value: sizeBytes / 1e6 / seconds, hash }
    })
  return { name: 'log.appendBatch', measure }
}

/** As many batches as are in flight are written, and flushed on the event loop. */
function bareFlushes(
  context: BenchmarkContext,
  { batches, sizeBytes }: PreparedBatches,
  inFlight: number,
): Contender {
  const measure = () =>
    context.withDirectory(async (path) => {
      const descriptor = openSync(path, 'wx')
      let position = 0
      const seconds = await secondsOf(() => {
        for (const [index, { bytes }] of batches.entries()) {
          position += writeSync(descriptor, bytes, 0, bytes.length, position)
          if (index % inFlight === inFlight - 1) fdatasyncSync(descriptor)
        }
        fdatasyncSync(descriptor)
      })
      closeSync(descriptor)
      return { value: sizeBytes / 1e6 / seconds, hash: contentHashOfFiles([path]) }
    })
  return { name: 'bare writeSync of the same batches, fdatasync after as many', measure }
}
