import type { Offset } from '@varve/record'
import {
  completePartition,
  type PartitionRestoreContext,
  type RestoredPartition,
  restoreSegment,
  type SegmentJob,
  segmentJobs,
} from './partition-restore.ts'

/** What is left to do of a partition, and what is known of it. */
interface Work {
  readonly partition: RestoredPartition
  jobsLeft: number
  lastNext: Offset | null
}

interface Step {
  readonly work: Work
  /** Null where there is nothing to bring. */
  readonly job: SegmentJob | null
  readonly isLast: boolean
}

/**
 * Brings partitions into the staging directory, several segments at a time; whoever brings the last
 * one of a partition completes it. Nothing new is begun after a failure.
 */
export async function restorePartitions(
  context: PartitionRestoreContext,
  partitions: readonly RestoredPartition[],
  lanes: number,
): Promise<void> {
  const waiting = partitions.flatMap(stepsOf).toReversed()
  let hasFailed = false
  const lane = async (): Promise<void> => {
    for (let step = waiting.pop(); step !== undefined && !hasFailed; step = waiting.pop()) {
      try {
        await take(context, step)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function stepsOf(partition: RestoredPartition): readonly Step[] {
  const jobs = segmentJobs(partition)
  const work: Work = { partition, jobsLeft: Math.max(1, jobs.length), lastNext: null }
  if (jobs.length === 0) return [{ work, job: null, isLast: true }]
  return jobs.map((job, index) => ({ work, job, isLast: index === jobs.length - 1 }))
}

async function take(context: PartitionRestoreContext, step: Step): Promise<void> {
  const { work, job, isLast } = step
  context.signal?.throwIfAborted()
  const next = job && (await restoreSegment(context, job))
  if (isLast) work.lastNext = next
  work.jobsLeft--
  if (work.jobsLeft === 0) await completePartition(context, work.partition, work.lastNext)
}
