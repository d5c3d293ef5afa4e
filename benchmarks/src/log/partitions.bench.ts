import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'
import { appendInFlight } from './append-driver.ts'

const inFlight = 1_024

export const partitions: Benchmark = {
  name: 'partitions',
  summary: 'appends of one record each to several partitions in turn, 1,024 in flight',
  async run(context) {
    const figures: Figure[] = []
    const count = context.size(300_000, 2_048)
    for (const acks of ['written', 'flushed'] as const) {
      for (const partitionCount of [4, 16]) {
        figures.push(
          await hold(context, {
            name: `${partitionCount} partitions, ${acks}`,
            unit: 'appends/s',
            measured: appendTo(context, partitionCount, acks, count),
            limit: appendTo(context, 1, acks, count),
            conditions: { payload: payloadOf(100, 1_024).description },
          }),
        )
      }
    }
    return figures
  },
}

function appendTo(
  context: BenchmarkContext,
  partitionCount: number,
  acks: 'written' | 'flushed',
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
      const appended = logs.reduce((sum, log) => sum + log.highWatermark, 0)
      return { value: count / seconds, hash: hashOfNumbers(appended) }
    })
  return { name: 'the same with one partition', measure }
}
