import {
  Cleaner,
  type CleanerOptions,
  type CleaningPolicy,
  type RetentionHold,
} from '@varve/cleaner'
import type { Clock, FileSystem, Log } from '@varve/log'
import { parsePartitionDirectoryName } from '@varve/log/files'
import type { Logger } from '../base/logger.ts'
import { isRetentionHeld, readRestoreHold } from '../base/restore-hold.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import type { Topics } from '../topics/topics.ts'

/** How much the background work may take, and how often it looks. */
export type CleaningOptions = Pick<
  CleanerOptions,
  | 'workers'
  | 'mapBytes'
  | 'ioBytesPerSecond'
  | 'restMs'
  | 'retentionIntervalMs'
  | 'compactionIntervalMs'
>

export interface TopicCleanerContext {
  readonly topics: Topics
  /** Asked where retention has to wait for groups. */
  readonly groups: () => Promise<GroupCoordinator>
  readonly clock: Clock
  readonly fs: FileSystem
  readonly logger: Logger
}

/**
 * Retention and compaction of topics, as their settings say. Does nothing before it is started.
 * What was restored from a backup is held: nothing of it goes by age or size until somebody has
 * released it.
 */
export function topicCleaner(context: TopicCleanerContext, options: CleaningOptions): Cleaner {
  const { topics, clock, fs, logger } = context
  const holds = new GroupHolds(context)
  const hold = readRestoreHold(fs, topics.directory.path)
  if (hold !== null) {
    const fields = { directory: topics.directory.path, ...hold }
    logger.warn(fields, 'restored from a backup: retention deletes nothing until it is released')
  }
  return new Cleaner(topics.directory, {
    ...options,
    clock,
    fs,
    policy: (log) => {
      const policy = policyOf(topics, log)
      return isRetentionHeld(fs, topics.directory.path) ? withoutRetention(policy) : policy
    },
    holds: (log) => holds.of(log),
  })
}

function policyOf(topics: Topics, log: Log): CleaningPolicy {
  const settings = topics.find(parsePartitionDirectoryName(log.name)?.topic ?? '')?.settings
  // It has been deleted meanwhile: nothing is done to it any more.
  if (settings === undefined) return { retentionMs: -1 }
  const { cleanupPolicy, retentionMs, retentionBytes, deleteRetentionMs, recordTtlMs } = settings
  const { minCleanableDirtyRatio, minCompactionLagMs, maxCompactionLagMs } = settings
  const { holdBytesMax, holdMsMax } = settings
  return {
    ...{ cleanupPolicy, retentionMs, retentionBytes, deleteRetentionMs, recordTtlMs },
    ...{ minCleanableDirtyRatio, minCompactionLagMs, maxCompactionLagMs },
    ...{ holdBytesMax, holdMsMax },
  }
}

/** Compaction goes on: what it removes has been superseded. */
function withoutRetention(policy: CleaningPolicy): CleaningPolicy {
  return { ...policy, retentionMs: -1, retentionBytes: -1, recordTtlMs: -1 }
}

/** How far the groups have come for which retention waits. */
class GroupHolds {
  readonly #context: TopicCleanerContext
  #coordinator: GroupCoordinator | null = null
  #asking: Promise<void> | null = null

  constructor(context: TopicCleanerContext) {
    this.#context = context
  }

  of(log: Log): readonly RetentionHold[] {
    const place = parsePartitionDirectoryName(log.name)
    if (place === null) return []
    const groups = this.#context.topics.find(place.topic)?.settings.holdForGroups ?? []
    if (groups.length === 0) return []
    this.#ask()
    return groups.map((group) => {
      // As long as it is not known, everything is kept.
      const store = this.#coordinator?.storeOf(group)
      const committedOffset = store?.committed(group, place.topic, place.partition)?.offset ?? 0
      return { group, committedOffset }
    })
  }

  #ask(): void {
    if (this.#coordinator !== null || this.#asking !== null) return
    this.#asking = this.#context
      .groups()
      .then((coordinator) => {
        this.#coordinator = coordinator
      })
      .catch((error: unknown) => {
        this.#context.logger.warn({ err: error }, 'retention does not know how far groups are')
      })
      .finally(() => {
        this.#asking = null
      })
  }
}
