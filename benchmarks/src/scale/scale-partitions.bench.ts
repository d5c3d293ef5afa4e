import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark } from '../harness/benchmark.ts'
import { contentHashInTurns } from '../harness/content-hash.ts'
import { type Sample, secondsOf } from '../harness/contest.ts'
import { holdGrowth } from '../harness/growth.ts'
import { payloadOf } from '../harness/payload.ts'
import { appendInFlight } from '../log/append-driver.ts'
import { batchRecords, type ClosedDirectory, fill, recordBytes } from './log-scene.ts'
import { openingMemory, openingTime } from './opened-directory.ts'

const inFlight = 1_024
const madeAtOnce = 100

export const scalePartitions: Benchmark = {
  name: 'scale-partitions',
  summary: 'opening, holding and appending as a directory has more partitions',
  async run(context) {
    const appends = context.size(10_000, 2_048)
    return await holdGrowth<ClosedDirectory>(context, {
      along: 'partitions',
      sizes: context.sizes({
        smoke: [5, 10, 20],
        small: [10, 100, 300],
        full: [100, 1_000, 10_000],
      }),
      conditions: {
        payload: payloadOf(recordBytes, batchRecords).description,
        partitions: `one batch of ${batchRecords} records each`,
        appends: `${appends} records, to the partitions in turn, ${inFlight} in flight, written`,
      },
      prepare: async (size, path) => {
        // What is appended later has the time of then, and is not to begin segments by that.
        const options = { acks: 'written', segmentMs: 10 * 365 * 24 * 3_600_000 } as const
        await using directory = await LogDirectory.open(path, { log: options })
        // Each is flushed when it is made: those that are made together share that.
        for (let first = 0; first < size; first += madeAtOnce) {
          const partitions = Array.from(
            { length: Math.min(madeAtOnce, size - first) },
            (_, index) => first + index,
          )
          await Promise.all(
            partitions.map(async (partition) => {
              await fill(await directory.createLog('bench', partition), 1)
            }),
          )
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
          name: 'a record, appended to partitions in turn',
          unit: 'ns',
          exponentAtMost: 0.25,
          measure: (scene, size) => appendingInTurn(scene, size, appends),
        },
      ],
    })
  },
}

async function appendingInTurn(
  { path, options }: ClosedDirectory,
  partitions: number,
  appends: number,
): Promise<Sample> {
  await using directory = await LogDirectory.open(path, { log: options })
  const logs = Array.from({ length: partitions }, (_, partition) =>
    directory.log('bench', partition),
  )
  const ends = logs.map((log) => log.logEndOffset)
  const seconds = await secondsOf(() =>
    appendInFlight(payloadOf(recordBytes, batchRecords), inFlight, appends, (record, index) =>
      (logs[index % partitions] as Log).append(record),
    ),
  )
  // What was appended by those before is in the logs too.
  return { value: (seconds / appends) * 1e9, hash: await contentHashInTurns(logs, ends) }
}
