import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { SeededRandom } from '../harness/random.ts'

type OffsetIndexes = typeof import('../../../packages/log/src/format/offset-index.ts')

/** Indexes are not part of the package's face; their module lies beside it. */
const { OffsetIndex }: OffsetIndexes = await import(
  new URL('./format/offset-index.js', import.meta.resolve('@varve/log')).href
)

/** A segment of 1 GiB with an entry every 4 KiB. */
const entries = 262_144
const lookups = 1024

export const offsetIndex: Benchmark = {
  name: 'offset-index',
  summary: 'the index of a full segment in memory: random look-ups and appends',
  async run(context) {
    return await measureTasks(context, tasks(context.isSmoke ? 1024 : entries))
  },
}

function tasks(count: number): MicroTask[] {
  const maxBytes = 10 * 2 ** 20
  const fill = () => {
    const index = new OffsetIndex(0, { maxBytes })
    for (let entry = 1; entry <= count; entry++) index.append(entry * 40, entry * 4096)
    return index
  }
  const index = fill()
  const sorted = Float64Array.from({ length: count }, (_, entry) => (entry + 1) * 40)
  const random = new SeededRandom(3)
  const targets = Array.from({ length: lookups }, () => random.integer(count * 40))
  return [
    {
      name: `look-up among ${count} entries`,
      run: () => targets.reduce((sum, target) => sum + index.lookup(target).position, 0),
      operations: lookups,
      limit: 'binary search of a Float64Array',
    },
    {
      name: 'binary search of a Float64Array',
      run: () => targets.reduce((sum, target) => sum + floor(sorted, target), 0),
      operations: lookups,
    },
    { name: 'append', run: () => fill().count, operations: count },
  ]
}

function floor(sorted: Float64Array, target: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) <= target) low = middle + 1
    else high = middle
  }
  return low
}
