import { LogDirectory } from '@varve/log'
import type { Benchmark } from '../harness/benchmark.ts'
import { holdGrowth } from '../harness/growth.ts'
import { payloadOf } from '../harness/payload.ts'
import {
  batchRecords,
  type ClosedDirectory,
  fill,
  readingAtRandom,
  recordBytes,
  searchingByTime,
  searchingFirst,
} from './log-scene.ts'
import { openingMemory, openingTime } from './opened-directory.ts'

const options = { acks: 'written' } as const

export const scaleSegments: Benchmark = {
  name: 'scale-segments',
  summary: 'opening, holding and finding as a log has more segments',
  async run(context) {
    const finds = context.size(2_000, 50)
    return await holdGrowth<ClosedDirectory>(context, {
      along: 'segments',
      sizes: context.sizes({
        smoke: [10, 20, 40],
        small: [100, 300, 1_000],
        full: [100, 1_000, 10_000],
      }),
      conditions: {
        payload: payloadOf(recordBytes, batchRecords).description,
        segments: `one batch of ${batchRecords} records each`,
      },
      prepare: async (size, path) => {
        await using directory = await LogDirectory.open(path, { log: options })
        const log = await directory.createLog('bench', 0)
        for (let segment = 0; segment < size; segment++) {
          if (segment > 0) await log.roll()
          await fill(log, 1, segment)
        }
        return { path, options }
      },
      close: async () => {},
      curves: [
        {
          name: 'clean opening',
          unit: 'ms',
          exponentAtMost: 1.1,
          measure: ({ path }) => openingTime(path),
        },
        {
          name: 'resident memory',
          unit: 'KiB',
          exponentAtMost: 1.1,
          measure: ({ path }) => openingMemory(path),
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
      ],
    })
  },
}
