import { LogDirectory } from '@varve/log'
import type { Benchmark } from '../harness/benchmark.ts'
import { holdGrowth } from '../harness/growth.ts'
import { payloadOf } from '../harness/payload.ts'
import {
  batchRecords,
  type ClosedDirectory,
  fill,
  readingAll,
  readingAtRandom,
  recordBytes,
  searchingByTime,
  searchingFirst,
} from './log-scene.ts'
import { openingTime } from './opened-directory.ts'

const MiB = 2 ** 20

export const scaleLogSize: Benchmark = {
  name: 'scale-log-size',
  summary: 'opening, finding and reading as a log grows',
  async run(context) {
    const sizes = context.sizes({
      smoke: [1, 2, 4],
      small: [16, 64, 256],
      full: [1_024, 4 * 1_024, 16 * 1_024],
    })
    const segmentBytes = ((sizes[0] ?? 1) * MiB) / 4
    const options = { acks: 'written', segmentBytes } as const
    const finds = context.size(2_000, 50)
    return await holdGrowth<ClosedDirectory>(context, {
      along: 'MiB of log',
      sizes,
      conditions: {
        payload: payloadOf(recordBytes, batchRecords).description,
        log: `batches of ${batchRecords} records, segments of ${options.segmentBytes / MiB} MiB`,
        state: 'closed cleanly before, in the page cache as far as it fits',
      },
      prepare: async (size, path) => {
        await using directory = await LogDirectory.open(path, { log: options })
        const log = await directory.createLog('bench', 0)
        const batches = Math.ceil((size * MiB) / (batchRecords * (recordBytes + 8)))
        await fill(log, batches)
        return { path, options }
      },
      close: async () => {},
      curves: [
        {
          name: 'clean opening',
          unit: 'ms',
          exponentAtMost: 0.5,
          measure: ({ path }) => openingTime(path),
        },
        {
          name: 'one batch by offset',
          unit: 'µs',
          exponentAtMost: 0.25,
          measure: (scene) => readingAtRandom(scene, finds),
        },
        {
          name: 'the first offset by timestamp',
          unit: 'ms',
          exponentAtMost: 1.1,
          measure: (scene) => searchingFirst(scene),
        },
        {
          name: 'an offset by timestamp',
          unit: 'µs',
          exponentAtMost: 0.25,
          measure: (scene) => searchingByTime(scene, finds),
        },
        {
          name: 'a record, reading all',
          unit: 'ns',
          exponentAtMost: 0.1,
          measure: (scene) => readingAll(scene),
        },
      ],
    })
  },
}
