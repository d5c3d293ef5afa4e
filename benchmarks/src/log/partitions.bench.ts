import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHashInTurns } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { appendInFlight } from './append-driver.ts'

/** What is promised of an append, with how many are made at so many in flight. */
const levels = [
  { acks: 'none', inFlight: 1_024, appends: 300_000 },
  { acks: 'written', inFlight: 64, appends: 150_000 },
  { acks: 'written', inFlight: 1_024, appends: 300_000 },
  { acks: 'flushed', inFlight: 64, appends: 40_000 },
  { acks: 'flushed', inFlight: 1_024, appends: 200_000 },
  { acks: 'flushed', inFlight: 8_192, appends: 300_000 },
] as const

type Level = (typeof levels)[number]

export const partitions: Benchmark = {
  name: 'partitions',
  summary: 'appends of one record each to several partitions in turn, beside one partition',
  async run(context) {
    const figures: Figure[] = []
    for (const level of levels) {
      for (const partitionCount of [4, 16, 64]) {
        figures.push(await ofLevel(context, level, partitionCount))
      }
    }
    return figures
  },
}

function ofLevel(context: BenchmarkContext, level: Level, partitionCount: number): Promise<Figure> {
  const { acks, inFlight, appends } = level
  const count = context.size(appends, 2_048)
  return hold(context, {
    name: `${partitionCount} partitions, ${acks}, ${inFlight} in flight`,
    unit: 'appends/s',
    measured: appendTo(context, partitionCount, level, count),
    limit: appendTo(context, 1, level, count),
    conditions: { payload: payloadOf(100, 1_024).description, acks },
  })
}

function appendTo(
  context: BenchmarkContext,
  partitionCount: number,
  { acks, inFlight }: Level,
  count: number,
): Contender {
  const measure = () =>
    context.withDirectory(async (path) => {
      await using directory = await LogDirectory.open(path, { log: { acks } })
      const logs: Log[] = []
      for (let partition = 0; partition < partitionCount; partition++) {
        logs.push(await directory.createLog('bench', partition))
      }
      const seconds = await secondsOf(() =>
        appendInFlight(payloadOf(100, 1_024), inFlight, count, async (record, index) =>
          logs[index % partitionCount]?.append(record),
        ),
      )
      // What was accepted only is not in the log yet.
      await Promise.all(logs.map((log) => log.flush()))
      return { value: count / seconds, hash: await contentHashInTurns(logs) }
    })
  return { name: 'the same with one partition', measure }
}
