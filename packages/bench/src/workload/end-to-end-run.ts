import type { ConsumerOptions } from '@varve/broker'
import { type Clock, systemClock } from '@varve/log'
import { machineClock } from '../measuring/machine-clock.ts'
import type { Measurement } from '../report/run-report.ts'
import type { BenchPlace } from './bench-place.ts'
import { OtherProcess } from './other-process.ts'
import { type ProducingLoad, sendLoad } from './producing-load.ts'
import type { SendingPlan } from './record-sender.ts'
import { type RunContext, RunGauges } from './run-gauges.ts'
import { TailingConsumer } from './tailing-consumer.ts'

export interface EndToEndOptions {
  /** Where the consumer is: beside the producers, or in a process of its own. */
  readonly consumerIn: 'this process' | 'another process'
  /** How often a consumer in another process looks at a directory, in ms. @defaultValue 1 */
  readonly pollMs?: number
}

/** What one consumer of all partitions is told. */
export function assignedTail(topic: string, partitions: number): ConsumerOptions<Buffer, Buffer> {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  return { assignment: numbers.map((partition) => ({ topic, partition })), from: 'latest' }
}

/**
 * Sends records that say when they were due, and measures how long after that a consumer that
 * follows all partitions has them. Times are the machine's, so that processes can be compared.
 */
export async function runEndToEnd(
  place: BenchPlace,
  load: ProducingLoad,
  plan: SendingPlan,
  context: RunContext,
  { consumerIn, pollMs = 1 }: EndToEndOptions,
): Promise<Measurement> {
  const run = { ...context, clock: context.clock === systemClock ? machineClock : context.clock }
  return consumerIn === 'this process'
    ? await inThisProcess(place, load, plan, run)
    : await inAnother(place, load, plan, run, pollMs)
}

type TimedContext = RunContext & { readonly clock: Clock }

async function inThisProcess(
  place: BenchPlace,
  load: ProducingLoad,
  plan: SendingPlan,
  context: TimedContext,
): Promise<Measurement> {
  const { varve, topic, partitions, directory } = place
  using gauges = new RunGauges(context, directory !== null)
  const consumer = varve.consumer(assignedTail(topic, partitions))
  await using tail = new TailingConsumer(consumer, context.clock, gauges)
  await tail.start()
  const sent = await send(place, load, plan, context, gauges)
  await tail.complete(sent)
  return gauges.measurement(factsOf(plan))
}

/** Latencies and rates are the other's; what the engine and this process did is from here. */
async function inAnother(
  place: BenchPlace,
  load: ProducingLoad,
  plan: SendingPlan,
  context: TimedContext,
  pollMs: number,
): Promise<Measurement> {
  const { topic, partitions, address, directory } = place
  const { onInterval = () => undefined, intervalMs = 1000, clock } = context
  using gauges = new RunGauges({ clock, intervalMs }, directory !== null)
  using other = await OtherProcess.start(
    { address, topic, partitions, pollMs, intervalMs },
    onInterval,
  )
  const sent = await send(place, load, plan, context, gauges, true)
  const received = await other.complete(sent)
  const own = gauges.measurement(factsOf(plan))
  const { latency, histogram, intervals, records, payloadBytes } = received
  const { seconds, recordsPerSecond, mebibytesPerSecond } = received
  const rates = { seconds, recordsPerSecond, mebibytesPerSecond, records, payloadBytes }
  return { ...own, ...rates, latency, histogram, intervals }
}

async function send(
  { varve, topic }: BenchPlace,
  load: ProducingLoad,
  plan: SendingPlan,
  context: TimedContext,
  gauges: RunGauges,
  countsHere = false,
): Promise<number> {
  return await sendLoad(
    { varve, topic, load, plan, context, isDated: true },
    {
      onCounting: (dueMs) => gauges.startCounting(dueMs),
      acknowledged: (nowMs, { delayMs, bytes }) => {
        if (plan.rate !== null) gauges.sendDelays.record(delayMs)
        if (countsHere) gauges.series.count(nowMs, bytes)
      },
    },
  )
}

function factsOf({ rate, pacing }: SendingPlan) {
  return {
    rate,
    latencyKind: 'end-to-end',
    isSpinning: rate !== null && pacing === 'precise',
  } as const
}
