import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { SeededRandom } from '../harness/random.ts'

type Varints = typeof import('../../../packages/record/src/varint.ts')

/** Varints are not part of the package's face; their module lies beside it. */
const { ByteCursor, varintSize, writeVarint }: Varints = await import(
  new URL('./varint.js', import.meta.resolve('@varve/record')).href
)

const count = 4096

export const varints: Benchmark = {
  name: 'varints',
  summary: 'varints of the sizes that records have, beside fixed int32 fields',
  async run(context) {
    return await measureTasks(context, tasks())
  },
}

function tasks(): MicroTask[] {
  const random = new SeededRandom(7)
  // As in records: most fit one byte, lengths and offset deltas take two, few take more.
  const values = Array.from({ length: count }, () =>
    random.integer(random.pick([64, 64, 64, 8192, 8192, 2 ** 20])),
  )
  const bytes = Buffer.alloc(count * 5)
  const write = (): number => {
    let at = 0
    for (const value of values) at = writeVarint(bytes, at, value)
    return at
  }
  const end = write()
  const written = Buffer.from(bytes.subarray(0, end))
  const fixed = Buffer.alloc(count * 4)
  for (const [index, value] of values.entries()) fixed.writeInt32BE(value, index * 4)
  return [
    { name: 'write', run: write, operations: count, limit: 'write int32' },
    {
      name: 'write int32',
      run: () => {
        let at = 0
        for (const value of values) at = bytes.writeInt32BE(value, at)
        return at
      },
      operations: count,
    },
    {
      name: 'size',
      run: () => values.reduce((sum, value) => sum + varintSize(value), 0),
      operations: count,
    },
    {
      name: 'read',
      run: () => {
        const cursor = new ByteCursor(written, 0, end)
        let sum = 0
        for (let index = 0; index < count; index++) sum += cursor.readVarint()
        return sum
      },
      operations: count,
      limit: 'read int32',
    },
    {
      name: 'read int32',
      run: () => {
        let sum = 0
        for (let at = 0; at < count * 4; at += 4) sum += fixed.readInt32BE(at)
        return sum
      },
      operations: count,
    },
  ]
}
