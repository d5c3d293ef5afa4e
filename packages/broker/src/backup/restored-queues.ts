import type { Offset } from '@varve/record'
import type { QueueStateLog } from '../queues/queue-state-log.ts'
import { bucketOf, type DeliveryRun } from '../queues/queue-state-schema.ts'

/** Where a partition of a topic ends now; null where that did not change. */
export type EndOf = (topicId: string, partition: number) => Offset | null

/**
 * Forgets what queues know of records beyond the restored ends of their partitions: else what is
 * appended next, at the same offsets, would count as delivered or finished. Resolves to what was
 * changed, in words.
 */
export async function restoreQueues(
  state: QueueStateLog,
  endOf: EndOf,
): Promise<{ readonly notes: readonly string[]; readonly isChanged: boolean }> {
  const notes: string[] = []
  for (const { queue, topicId, partition } of state.places) {
    const end = endOf(topicId, partition)
    if (end === null) continue
    const ofTopic = state.of(topicId)
    const { startOffset, buckets } = ofTopic.take(queue, partition)
    const changed = new Map<number, readonly DeliveryRun[] | null>()
    for (const [bucket, runs] of buckets) {
      if (runs.every(({ lastOffset }) => lastOffset < end)) continue
      changed.set(bucket, bucket > bucketOf(end) ? null : runsBefore(runs, end))
    }
    const start = startOffset !== null && startOffset > end ? end : null
    if (start === null && changed.size === 0) continue
    await ofTopic.save(queue, partition, { startOffset: start, buckets: changed }, 'flushed')
    notes.push(`queue ${queue}, partition ${partition}: nothing is known from offset ${end} on`)
  }
  return { notes, isChanged: notes.length > 0 }
}

function runsBefore(runs: readonly DeliveryRun[], end: Offset): readonly DeliveryRun[] {
  return runs
    .filter(({ firstOffset }) => firstOffset < end)
    .map((run) => ({ ...run, lastOffset: Math.min(run.lastOffset, end - 1) }))
}
