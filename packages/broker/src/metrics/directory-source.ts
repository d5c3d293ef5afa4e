import type { FileSystem } from '@varve/log'
import { isRetentionHeld } from '../base/restore-hold.ts'
import type { Groups } from '../groups/groups.ts'
import type { Queues } from '../queues/queues.ts'
import type { Topics } from '../topics/topics.ts'
import type { MeasuredLog, MetricsSource } from './measured.ts'

/**
 * An open data directory as metrics see it: logs that are open, groups once somebody has asked for
 * one, queues that are open. Looks only, and makes nothing.
 */
export function directorySource({
  fs,
  topics,
  groups,
  queues,
}: {
  readonly fs: FileSystem
  readonly topics: Topics
  readonly groups: Groups
  readonly queues: Queues
}): MetricsSource {
  return {
    logs: () => measuredLogs(topics),
    groups: () =>
      groups.loaded?.measured(({ topic, partition }) => {
        return topics.find(topic)?.partitions[partition]?.openLog?.highWatermark ?? null
      }) ?? [],
    queues: () => queues.measured(),
    isRetentionHeld: () => isRetentionHeld(fs, topics.directory.path),
  }
}

function* measuredLogs(topics: Topics): Generator<MeasuredLog, void, undefined> {
  for (const { partitions } of topics.all) {
    for (const { topic, partition, openLog } of partitions) {
      if (openLog === null) continue
      const { logStartOffset, highWatermark, logEndOffset } = openLog
      const segments = openLog.segments()
      const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
      const offsets = { logStartOffset, highWatermark, logEndOffset }
      yield { topic, partition, segments: segments.length, sizeBytes, ...offsets }
    }
  }
}
