import { generatePayload, type PayloadKind } from '@varve/bench'
import { type CompressionType, compress, decompress } from '@varve/record'
import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { bareBlocks, loadBareLz4, readBareBlocks } from './bare-lz4.ts'

const codecs: readonly CompressionType[] = ['gzip', 'snappy', 'lz4', 'zstd']
const sizes = [1024, 16_384, 65_536, 1_048_576] as const
/** By how much there is to be found in them: gzip takes them to a fifth, to a half, and nowhere. */
const kinds: readonly PayloadKind[] = ['json', 'text', 'compressed']
const names = { json: 'events', text: 'text', compressed: 'noise' } as const
const seed = 64

export const compression: Benchmark = {
  name: 'codecs',
  summary: 'each codec by size and by entropy, beside a copy of the same bytes; LZ4 on bare blocks',
  async run(context) {
    const given = kinds.map((kind) => {
      const { values, description } = generatePayload(kind, 1024, seed, 2 ** 20)
      return { kind, bytes: Buffer.concat(values.slice(0, 1024)), description }
    })
    const tasks = given.flatMap(({ kind, bytes }) =>
      sizes.flatMap((size) => tasksOf(names[kind], bytes.subarray(0, size))),
    )
    const text = given.find(({ kind }) => kind === 'text')?.bytes ?? Buffer.alloc(0)
    const payload = given.map(({ description }) => description).join('; ')
    return await measureTasks(context, [...tasks, ...blockTasks(text)], { payload })
  },
}

function tasksOf(what: string, plain: Buffer): MicroTask[] {
  const bytes = plain.length
  const of = `${bytes / 1024} KiB of ${what}`
  const copy = `copy, ${of}`
  const tasks: MicroTask[] = [{ name: copy, run: () => Buffer.from(plain).length, bytes }]
  for (const codec of codecs) {
    const compressed = compress(codec, plain)
    if (!decompress(codec, compressed).equals(plain)) throw new Error(`${codec} loses data`)
    const ratio = (compressed.length / bytes).toFixed(2)
    tasks.push(
      {
        name: `${codec} compress, ${of} (to ${ratio})`,
        run: () => compress(codec, plain).length,
        bytes,
        limit: copy,
      },
      {
        name: `${codec} decompress, ${of}`,
        run: () => decompress(codec, compressed).length,
        bytes,
        limit: copy,
      },
    )
  }
  return tasks
}

/** What Kafka's frame costs around the native package's blocks. */
function blockTasks(text: Buffer): MicroTask[] {
  const lz4 = loadBareLz4()
  if (lz4 === null) return []
  const bytes = text.length
  const frame = compress('lz4', text)
  const blocks = bareBlocks(lz4, text)
  const of = `${bytes / 1024} KiB of text`
  const [writing, reading] = [
    `bare LZ4 blocks, compress, ${of}`,
    `bare LZ4 blocks, decompress, ${of}`,
  ]
  const compressed = blocks.reduce((sum, { length }) => sum + length, 0)
  return [
    {
      name: `LZ4 frame, compress, ${of}`,
      run: () => compress('lz4', text).length,
      bytes,
      limit: writing,
      bar: { kind: 'ratio', atLeast: 0.8 },
    },
    { name: writing, run: () => bareBlocks(lz4, text).length + compressed, bytes },
    {
      name: `LZ4 frame, decompress, ${of}`,
      run: () => decompress('lz4', frame).length,
      bytes,
      limit: reading,
      bar: { kind: 'ratio', atLeast: 0.6 },
    },
    { name: reading, run: () => readBareBlocks(lz4, blocks), bytes },
  ]
}
