import type { Measurement } from '../report/run-report.ts'
import type { BenchPlace } from './bench-place.ts'
import { type ProducingLoad, sendLoad } from './producing-load.ts'
import type { SendingPlan } from './record-sender.ts'
import { type RunContext, RunGauges } from './run-gauges.ts'

/** Sends records, and measures until each of them is acknowledged. */
export async function runProducing(
  place: BenchPlace,
  load: ProducingLoad,
  plan: SendingPlan,
  context: RunContext,
): Promise<Measurement> {
  const { varve, topic, directory } = place
  using gauges = new RunGauges(context, directory !== null)
  await sendLoad(
    { varve, topic, load, plan, context, isDated: false },
    {
      onCounting: (dueMs) => gauges.startCounting(dueMs),
      acknowledged: (nowMs, { dueMs, delayMs, bytes }) => {
        gauges.series.add(nowMs, bytes, nowMs - dueMs)
        if (plan.rate !== null) gauges.sendDelays.record(delayMs)
      },
    },
  )
  return gauges.measurement({
    rate: plan.rate,
    latencyKind: plan.rate === null ? 'service' : 'intended',
    isSpinning: plan.rate !== null && plan.pacing === 'precise',
  })
}
