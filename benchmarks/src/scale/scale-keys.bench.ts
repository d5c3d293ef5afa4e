import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { Cleaner, type CompactionStats } from '@varve/cleaner'
import { LogDirectory } from '@varve/log'
import type { Benchmark } from '../harness/benchmark.ts'
import { survivorsHash } from '../harness/content-hash.ts'
import { type Sample, secondsOf } from '../harness/contest.ts'
import { holdGrowth } from '../harness/growth.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'
import { batchRecords, recordBytes } from './log-scene.ts'

const MiB = 2 ** 20
/** Enough for ten million keys in one round. */
const mapBytes = 256 * MiB
const recordsPerKey = 2
const log = { segmentBytes: 256 * MiB, acks: 'none' } as const

export const scaleKeys: Benchmark = {
  name: 'scale-keys',
  summary: 'compaction as a log has more keys, each of which it holds about twice',
  run: (context) =>
    holdGrowth<string>(context, {
      along: 'keys',
      sizes: context.sizes({
        smoke: [1_000, 2_000, 4_000],
        small: [10_000, 100_000, 500_000],
        full: [100_000, 1_000_000, 10_000_000],
      }),
      conditions: {
        payload: payloadOf(recordBytes, batchRecords).description,
        keys: `drawn at random, ${recordsPerKey} records for each on average`,
        map: `${mapBytes / MiB} MiB`,
      },
      prepare: async (size, path) => {
        await writeKeys(`${path}/original`, size)
        return path
      },
      close: async () => {},
      curves: [
        {
          name: 'a record compacted',
          unit: 'ns',
          exponentAtMost: 0.25,
          measure: async (path) => {
            const { stats, seconds, hash } = await compact(path)
            return { value: (seconds / stats.inputRecords) * 1e9, hash }
          },
        },
        {
          name: 'memory for keys',
          unit: 'KiB',
          exponentAtMost: 1.1,
          measure: async (path): Promise<Sample> => {
            const { stats, hash } = await compact(path)
            return { value: stats.mapBytes / 1024, hash }
          },
        },
      ],
    }),
}

async function writeKeys(path: string, keys: number): Promise<void> {
  await using directory = await LogDirectory.open(path, { log })
  const opened = await directory.createLog('bench', 0)
  const { records } = payloadOf(recordBytes, batchRecords)
  const random = new SeededRandom(13)
  for (let written = 0; written < keys * recordsPerKey; written += batchRecords) {
    await opened.append(
      records.map(({ value }) => {
        return { key: `user-${String(random.integer(keys)).padStart(8, '0')}`, value }
      }),
    )
  }
  await opened.flush()
  await opened.roll()
}

async function compact(path: string): Promise<{
  readonly stats: CompactionStats
  readonly seconds: number
  readonly hash: string
}> {
  const copy = `${path}/copy`
  cpSync(`${path}/original`, copy, { recursive: true })
  try {
    await using directory = await LogDirectory.open(copy, { log })
    const policy = () => ({ cleanupPolicy: ['compact'] as const })
    await using cleaner = new Cleaner(directory, { policy, workers: 1, mapBytes })
    let stats: CompactionStats | undefined
    const seconds = await secondsOf(async () => {
      const { compaction } = await cleaner.runOnce()
      stats = compaction.get('bench-0')?.stats
    })
    assert.equal(cleaner.failures.size, 0, 'nothing failed')
    assert.ok(stats !== undefined, 'the log was compacted')
    return { stats, seconds, hash: await survivorsHash(directory.log('bench', 0)) }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
