import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, type Sample } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOfTexts } from '../harness/result-hash.ts'
import { CompactionScene } from './compaction-scene.ts'
import { eagerRequests, pacedRequests } from './paced-requests.ts'

const MiB = 2 ** 20

/** Requests of one kind while something goes on; how long each took, in milliseconds. */
interface Load {
  /** What it appends to, or reads. */
  readonly target: 'live' | 'read' | 'dirty'
  run(bench: CompactionScene, work: () => Promise<unknown>): Promise<readonly number[]>
}

const appends = (
  target: 'live' | 'dirty',
  perSecond: number,
  acks: 'flushed' | 'written',
): Load => ({
  target,
  run: (bench, work) =>
    pacedRequests(perSecond, (index) => bench[target].append(bench.record(index), { acks }), work),
})

const loads: Readonly<Record<string, Load>> = {
  '500 appends a second, flushed': appends('live', 500, 'flushed'),
  '500 appends a second, written': appends('live', 500, 'written'),
  '2,000 appends a second, flushed': appends('live', 2000, 'flushed'),
  '500 appends a second to the log that is compacted, flushed': appends('dirty', 500, 'flushed'),
  '500 reads of 64 KiB a second': {
    target: 'read',
    run: (bench, work) => pacedRequests(500, (index) => bench.readAt(index), work),
  },
  'appends of 16 callers at full speed, flushed': {
    target: 'live',
    run: ({ live, record }, work) =>
      eagerRequests(16, (index) => live.append(record(index), { acks: 'flushed' }), work),
  },
}

/** Open loops but for the last one: a request is due whether or not the one before is answered. */
export const appendsBesideCompaction: Benchmark = {
  name: 'appends-beside-compaction',
  summary: 'the 99th percentile of appends and reads while a log is compacted, and without',
  async run(context) {
    const figures: Figure[] = []
    const all = Object.entries(loads).slice(0, context.size(6, 3))
    for (const [name, load] of all.filter(([name]) => context.isWanted(name))) {
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
  await using bench = await CompactionScene.open(path, {
    dirtyBytes: context.size(128 * MiB, MiB),
    hashedRequests: context.size(400, 4),
  })
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
function alone(bench: CompactionScene, load: Load, durationMs: number): Contender {
  return {
    name: 'the same without compaction',
    measure: () => measureLoad(bench, load, () => setTimeout(durationMs)),
  }
}

function beside(bench: CompactionScene, load: Load): Contender {
  return {
    name: 'beside Cleaner.runOnce',
    measure: () => measureLoad(bench, load, () => bench.compact()),
  }
}

/**
 * How many requests there are is not the same each time; every one of them is checked, and the hash
 * is of the first ones and of what compaction has to leave.
 */
async function measureLoad(
  bench: CompactionScene,
  load: Load,
  work: () => Promise<unknown>,
): Promise<Sample> {
  await bench.makeDirty()
  const start = bench[load.target].logEndOffset
  const latencies = await load.run(bench, work)
  const sorted = latencies.toSorted((one, two) => one - two)
  const value = sorted[Math.floor(sorted.length * 0.99)]
  assert.ok(value !== undefined, 'there were requests')
  const { target } = load
  const seen =
    target === 'read'
      ? await bench.checkReads(latencies.length)
      : await bench.checkAppends(target, start, latencies.length)
  return { value, hash: hashOfTexts(seen, await bench.checkDirty()) }
}
