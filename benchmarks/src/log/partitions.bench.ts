import { type Log, LogDirectory } from '@varve/log'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHashInTurns } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { type Payload, payloadOf } from '../harness/payload.ts'
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

/** Large records at one number of partitions: being spread costs them as much as small ones. */
const sizes = [
  { recordBytes: 100, partitionCounts: [4, 16, 64] },
  { recordBytes: 1_024, partitionCounts: [16] },
  { recordBytes: 10_240, partitionCounts: [16] },
] as const

type Level = (typeof levels)[number]

export const partitions: Benchmark = {
  name: 'partitions',
  summary: 'appends of one record each to several partitions in turn, beside one partition',
  async run(context) {
    const figures: Figure[] = []
    for (const { recordBytes, partitionCounts } of sizes) {
      for (const level of levels) {
        for (const partitionCount of partitionCounts) {
          figures.push(await ofLevel(context, level, partitionCount, recordBytes))
        }
      }
    }
    return figures
  },
}

function ofLevel(
  context: BenchmarkContext,
  level: Level,
  partitionCount: number,
  recordBytes: number,
): Promise<Figure> {
  const { acks, inFlight, appends } = level
  // As many bytes of large records as of small ones would take the disk too long.
  const count = context.size(Math.ceil(appends / (recordBytes > 1_024 ? 10 : 1)), 2_048)
  const payload = payloadOf(recordBytes, 1_024)
  return hold(context, {
    name: `${recordBytes} B, ${partitionCount} partitions, ${acks}, ${inFlight} in flight`,
    unit: 'appends/s',
    measured: appendTo(context, payload, partitionCount, level, count),
    limit: appendTo(context, payload, 1, level, count),
    conditions: { payload: payload.description, acks },
  })
}

function appendTo(
  context: BenchmarkContext,
  payload: Payload,
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
        appendInFlight(payload, inFlight, count, async (record, index) =>
          logs[index % partitionCount]?.append(record),
        ),
      )
      // What was accepted only is not in the log yet.
      await Promise.all(logs.map((log) => log.flush()))
      return { value: count / seconds, hash: await contentHashInTurns(logs) }
    })
  return { name: 'the same with one partition', measure }
}
