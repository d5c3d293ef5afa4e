import assert from 'node:assert/strict'
import { Cleaner } from '@varve/cleaner'
import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold } from '../harness/contest.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'

const MiB = 2 ** 20
const appendsPerSecond = 500

/** Open loop: an append is due whether or not the one before is acknowledged. */
export const appendsBesideCompaction: Benchmark = {
  name: 'appends-beside-compaction',
  summary: 'the 99th percentile of durable appends while another log is compacted, and without',
  async run(context) {
    return await context.withDirectory(async (path) => {
      const appends = context.size(4_000, 50)
      context.progress('writing the log that is compacted')
      await using directory = await LogDirectory.open(path, { log: { segmentBytes: 64 * MiB } })
      const log = await directory.createLog('live', 0)
      const dirty = await directory.createLog('dirty', 0)
      return [
        await hold(context, {
          name: `${appendsPerSecond} appends of 1 KiB a second, flushed`,
          unit: 's',
          measured: besideCompaction(context, directory, log, dirty, appends),
          limit: alone(context, directory, log, dirty, appends),
          bar: { kind: 'ratio', atLeast: 1 / 1.5 },
          conditions: { compaction: 'one worker, 64 MiB/s of reads and writes' },
        }),
      ]
    })
  },
}

/** The same was written before, so that disk and memory are in the same state. */
function alone(
  context: BenchmarkContext,
  directory: LogDirectory,
  log: Log,
  dirty: Log,
  appends: number,
): Contender {
  const measure = async () => {
    await makeDirty(dirty, context.size(256 * MiB, MiB))
    const value = await percentile99(log, appends)
    await compact(directory, null)
    return { value, hash: hashOfNumbers(appends) }
  }
  return { name: 'the same without compaction', measure }
}

function besideCompaction(
  context: BenchmarkContext,
  directory: LogDirectory,
  log: Log,
  dirty: Log,
  appends: number,
): Contender {
  const measure = async () => {
    await makeDirty(dirty, context.size(256 * MiB, MiB))
    let value = 0
    await compact(directory, async () => {
      value = await percentile99(log, appends)
    })
    return { value, hash: hashOfNumbers(appends) }
  }
  return { name: 'Log.append beside Cleaner.runOnce', measure }
}

/** Compacts the dirty log, slowly where something is to be measured beside it. */
async function compact(
  directory: LogDirectory,
  beside: (() => Promise<void>) | null,
): Promise<void> {
  const policy = ({ name }: Log) =>
    name === 'dirty-0' ? { cleanupPolicy: ['compact'] as const } : { retentionMs: -1 }
  const ioBytesPerSecond = beside === null ? 0 : 64 * MiB
  await using cleaner = new Cleaner(directory, { policy, ioBytesPerSecond })
  const compacting = cleaner.runOnce()
  await beside?.()
  const { compaction } = await compacting
  assert.equal(compaction.size, 1, 'the other log was compacted')
}

async function makeDirty(log: Log, sizeBytes: number): Promise<void> {
  const { records } = payloadOf(1024, 1024)
  for (let written = 0; written < sizeBytes; written += 64 * 1024) {
    await log.append(records.slice(0, 64), { acks: 'written' })
  }
  await log.roll()
  await log.flush()
}

/** Seconds within which 99 of 100 appends are acknowledged, from when they were due. */
async function percentile99(log: Log, appends: number): Promise<number> {
  const { records } = payloadOf(1024, 1024)
  const startedMs = performance.now()
  const latencies: number[] = []
  const pending: Promise<void>[] = []
  for (let index = 0; index < appends; index++) {
    const dueMs = startedMs + (index * 1000) / appendsPerSecond
    while (performance.now() < dueMs) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const record = records[index % records.length]
    assert.ok(record !== undefined, 'there are records')
    const append = async (): Promise<void> => {
      await log.append(record, { acks: 'flushed' })
      latencies.push(performance.now() - dueMs)
    }
    pending.push(append())
  }
  await Promise.all(pending)
  latencies.sort((one, two) => one - two)
  return (latencies[Math.floor(latencies.length * 0.99)] ?? 0) / 1000
}
