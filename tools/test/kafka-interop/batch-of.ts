import { endTransactionMarkerBatch, type RecordBatch, RecordBatchBuilder } from '@varve/record'
import type { Step } from './scenario.ts'

/**
 * The batch of a step, as a producer or coordinator would hand it to the log: without an offset.
 */
export function batchOf(step: Step): RecordBatch {
  if (step.kind === 'marker') return endTransactionMarkerBatch(step)
  const builder = new RecordBatchBuilder(step.options)
  for (const record of step.records) builder.append(record)
  return builder.build()
}
