import { createRequire } from 'node:module'
import { crc32c } from '@varve/record'
import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { payloadOf } from '../harness/payload.ts'

const sizes = [64, 128, 256, 512, 1024, 16_384, 1_048_576] as const

/** The two packages between which `crc32c` chooses, as it finds them. */
const require = createRequire(import.meta.resolve('@varve/record'))
const javascript = require('crc-32/crc32c.js') as { buf(bytes: Uint8Array): number }
const native = loadNative()

export const checksums: Benchmark = {
  name: 'checksums',
  summary: 'CRC-32C by size: what the package chooses, beside its two choices',
  async run(context) {
    const { records } = payloadOf(1024, 1024)
    const bytes = Buffer.concat(records.map((record) => record.bytes))
    return await measureTasks(
      context,
      sizes.flatMap((size) => tasksOf(bytes.subarray(0, size))),
    )
  },
}

function tasksOf(bytes: Buffer): MicroTask[] {
  const size = bytes.length
  // Calls that take less than a microsecond are timed many at a time.
  const times = Math.max(1, Math.floor(16_384 / size))
  const repeated = (checksum: (bytes: Buffer) => number) => (): number => {
    let sum = 0
    for (let time = 0; time < times; time++) sum += checksum(bytes) >>> 0
    return sum
  }
  const total = size * times
  const best = native === null ? `JavaScript, ${size} B` : `native, ${size} B`
  const tasks: MicroTask[] = [
    { name: `crc32c, ${size} B`, run: repeated(crc32c), bytes: total, limit: best },
    {
      name: `JavaScript, ${size} B`,
      run: repeated((input) => javascript.buf(input)),
      bytes: total,
    },
  ]
  if (native !== null) {
    const { crc32c: checksum } = native
    tasks.push({
      name: `native, ${size} B`,
      run: repeated((input) => checksum(input)),
      bytes: total,
    })
  }
  return tasks
}

function loadNative(): { crc32c(bytes: Uint8Array): number } | null {
  try {
    return require('@node-rs/crc32') as { crc32c(bytes: Uint8Array): number }
  } catch {
    return null
  }
}
