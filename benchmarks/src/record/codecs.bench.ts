import { type CompressionType, compress, decompress } from '@varve/record'
import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'

const codecs: readonly CompressionType[] = ['gzip', 'snappy', 'lz4', 'zstd']
const payloadBytes = 64 * 1024

export const compression: Benchmark = {
  name: 'codecs',
  summary: 'each codec on 64 KiB of events and of noise, beside a copy of the same bytes',
  async run(context) {
    const events = Buffer.concat(payloadOf(1024, 64).records.map(({ bytes }) => bytes))
    const tasks = [
      ...tasksOf('events of 1 KiB', events.subarray(0, payloadBytes)),
      ...tasksOf('noise', noise(payloadBytes)),
    ]
    return await measureTasks(context, tasks, { payload: payloadOf(1024, 64).description })
  },
}

function tasksOf(what: string, plain: Buffer): MicroTask[] {
  const copy = `copy, ${what}`
  const bytes = plain.length
  const tasks: MicroTask[] = [{ name: copy, run: () => Buffer.from(plain).length, bytes }]
  for (const codec of codecs) {
    const compressed = compress(codec, plain)
    if (!decompress(codec, compressed).equals(plain)) throw new Error(`${codec} loses data`)
    const ratio = (compressed.length / bytes).toFixed(2)
    tasks.push(
      {
        name: `${codec} compress, ${what} (to ${ratio})`,
        run: () => compress(codec, plain).length,
        bytes,
        limit: copy,
      },
      {
        name: `${codec} decompress, ${what}`,
        run: () => decompress(codec, compressed).length,
        bytes,
        limit: copy,
      },
    )
  }
  return tasks
}

/** Bytes that no codec can shorten; the same in every run. */
function noise(size: number): Buffer {
  const random = new SeededRandom(64)
  const bytes = Buffer.alloc(size)
  for (let index = 0; index < size; index++) bytes[index] = random.integer(256)
  return bytes
}
