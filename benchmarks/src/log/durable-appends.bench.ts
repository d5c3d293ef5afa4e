import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { contentHash } from '../harness/content-hash.ts'
import { type Contender, hold, secondsOf } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { type Payload, payloadOf } from '../harness/payload.ts'
import { appendInFlight } from './append-driver.ts'
import { BareGroupCommit, bareContentHash } from './bare-group-commit.ts'
import { withNewLog } from './log-under-test.ts'

/** Callers that each wait for an append before they make the next, and appends of a full run. */
const levels = [
  { inFlight: 1, appends: 2_000, flushOn: 'loop' },
  { inFlight: 1, appends: 2_000, flushOn: 'pool' },
  { inFlight: 16, appends: 30_000, flushOn: 'pool' },
  { inFlight: 64, appends: 100_000, flushOn: 'pool' },
  { inFlight: 1_024, appends: 500_000, flushOn: 'pool' },
  { inFlight: 8_192, appends: 600_000, flushOn: 'pool' },
] as const

/** A group beyond this is what batches are for. */
const groupBytesMax = 12 * 2 ** 20

type Level = (typeof levels)[number]

export const durableAppends: Benchmark = {
  name: 'durable-appends',
  summary: 'appends of one record with one promise each, acknowledged when flushed',
  async run(context) {
    const figures: Figure[] = []
    for (const recordBytes of [100, 1024, 10_240]) {
      const payload = payloadOf(
        recordBytes,
        context.size(recordBytes > 1024 ? 2_048 : 16_384, 1_024),
      )
      for (const level of levels) {
        const { inFlight, appends, flushOn } = level
        if (inFlight * recordBytes > groupBytesMax) continue
        const count = context.size(countOf(appends, recordBytes), inFlight * 2)
        figures.push(
          await hold(context, {
            name: `${recordBytes} B, ${inFlight} in flight, flushed in the ${flushOn}`,
            unit: 'appends/s',
            measured: throughLog(context, payload, level, count),
            limit: throughBareLoop(context, payload, level, count),
            bar: { kind: 'ratio', atLeast: 0.9 },
            conditions: { payload: payload.description, acks: 'flushed' },
          }),
        )
      }
    }
    return figures
  },
}

/** Large records take the disk as long as many small ones. */
function countOf(appends: number, recordBytes: number): number {
  return recordBytes > 1024 ? Math.max(1_000, Math.floor(appends / 8)) : appends
}

function throughLog(
  context: BenchmarkContext,
  payload: Payload,
  { inFlight, flushOn }: Level,
  count: number,
): Contender {
  const measure = () =>
    withNewLog(context, { flushOn }, async (log) => {
      const seconds = await secondsOf(() =>
        appendInFlight(payload, inFlight, count, (record) => log.append(record)),
      )
      return { value: count / seconds, hash: await contentHash(log) }
    })
  return { name: 'log.append', measure }
}

function throughBareLoop(
  context: BenchmarkContext,
  payload: Payload,
  { inFlight, flushOn }: Level,
  count: number,
): Contender {
  const measure = () =>
    context.withDirectory(async (path) => {
      const loop = new BareGroupCommit(path, flushOn)
      const seconds = await secondsOf(() =>
        appendInFlight(payload, inFlight, count, ({ bytes }) => loop.append(bytes)),
      )
      loop.close()
      return { value: count / seconds, hash: bareContentHash(path) }
    })
  return { name: 'bare group commit: copy, CRC-32C, writeSync, fdatasync, resolve', measure }
}
