import type { Partition, Topic } from '@varve/broker/serving'
import type { Cleaner } from '@varve/cleaner'
import type { Log } from '@varve/log'
import { VarveError } from '@varve/record'
import type { CleanedLogAnswer, CleaningAnswer } from './answers.ts'
import type { CleaningHistory } from './cleaning-history.ts'
import type { UiContext } from './ui-context.ts'
import type { UiQuery } from './ui-query.ts'

const logsMax = 200

/** What retention and compaction would do now, what failed, and what they did last. */
export async function cleaningAnswer(
  { parts, varve, clock }: UiContext,
  history: CleaningHistory,
  query: UiQuery,
): Promise<CleaningAnswer> {
  const search = query.text('search')?.toLowerCase() ?? ''
  const found = parts.topics.all
    .filter(({ name }) => name.toLowerCase().includes(search))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((topic) => topic.partitions.map((partition) => ({ topic, partition })))
  const logs: CleanedLogAnswer[] = []
  for (const { topic, partition } of found.slice(0, logsMax)) {
    logs.push(cleanedLog(varve.cleaner, topic, partition))
    // Describing segments for the first time reads small files.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const isThere = (name: string): boolean => parts.topics.directory.logs.has(name)
  const failures = [...varve.cleaner.failures].map(([log, failure]) => {
    const { task, error, attempts, retryAtMs } = failure
    return { log, task, error: error.message, attempts, retryAtMs }
  })
  const leftOut = found.length - logs.length
  return { nowMs: clock.now(), logs, leftOut, failures, runs: history.runs(isThere) }
}

function cleanedLog(cleaner: Cleaner, topic: Topic, partition: Partition): CleanedLogAnswer {
  const policy = topic.settings.cleanupPolicy
  try {
    const { log } = partition
    const isCompacted = policy.includes('compact')
    return {
      ...{ log: partition.name, policy, sizeBytes: log.sizeBytes, error: null },
      retention: retentionOf(cleaner, log),
      compaction: isCompacted ? compactionOf(cleaner, log, topic) : null,
    }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    const retention = { segments: 0, sizeBytes: 0, reasons: [], heldBy: [] }
    const nothing = { sizeBytes: 0, retention, compaction: null }
    return { log: partition.name, policy, ...nothing, error: error.message }
  }
}

function retentionOf(cleaner: Cleaner, log: Log): CleanedLogAnswer['retention'] {
  const { deletions, held } = cleaner.planRetention(log)
  return {
    segments: deletions.reduce((sum, { segments }) => sum + segments.length, 0),
    sizeBytes: deletions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    reasons: deletions.map(({ reason }) => reason),
    heldBy: held.map(({ group }) => group),
  }
}

function compactionOf(
  cleaner: Cleaner,
  log: Log,
  { settings }: Topic,
): CleanedLogAnswer['compaction'] {
  const plan = cleaner.planCompaction(log)
  const { cleanBytes, dirtyBytes, dirtyRatio, firstDirtyOffset, reason } = plan
  const minDirtyRatio = settings.minCleanableDirtyRatio
  return { cleanBytes, dirtyBytes, dirtyRatio, minDirtyRatio, firstDirtyOffset, reason }
}
