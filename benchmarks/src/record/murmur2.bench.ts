import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { payloadOf } from '../harness/payload.ts'

type Murmur2 = typeof import('../../../packages/broker/src/partitioning/murmur2.ts')

/** Hashing is not part of the package's face; its module lies beside it. */
const { murmur2 }: Murmur2 = await import(
  new URL('./partitioning/murmur2.js', import.meta.resolve('@varve/broker')).href
)

/** Of keys, which are mostly short. */
const sizes = [4, 12, 36, 128, 1024] as const
const keys = 256

export const murmur2Hashes: Benchmark = {
  name: 'murmur2',
  summary: 'the hash that chooses the partition of a key, by its size, beside a sum of its bytes',
  async run(context) {
    const { records, description } = payloadOf(1024, keys)
    return await measureTasks(
      context,
      sizes.flatMap((size) => tasksOf(records.map(({ bytes }) => bytes.subarray(0, size)))),
      { payload: `the beginnings of ${description}` },
    )
  },
}

function tasksOf(given: readonly Buffer[]): MicroTask[] {
  const size = given[0]?.length ?? 0
  const summing = `sum of its bytes, ${size} B`
  const run = (hash: (bytes: Buffer) => number) => (): number => {
    let sum = 0
    for (const bytes of given) sum = (sum + hash(bytes)) | 0
    return sum
  }
  const operations = given.length
  return [
    { name: `murmur2, ${size} B`, run: run(murmur2), operations, limit: summing },
    { name: summing, run: run(sumOf), operations },
  ]
}

function sumOf(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at++) sum += bytes[at] as number
  return sum
}
