import type { Clock } from '@varve/log'
import type { ConsumerGroupSettings } from './consumer/consumer-group-heartbeat.ts'
import type { GroupDescription } from './group-administration.ts'
import type { StoredOffset } from './group-offsets.ts'
import type { GroupTopics } from './group-topics.ts'
import type { CommitOptions } from './offset-store.ts'

export interface GroupCoordinatorOptions {
  readonly clock: Clock
  /** A text that was never given before, for member ids: a UUID. */
  readonly newId: () => string
  /** How many partitions a topic has; null for one that is not there. */
  readonly partitionCount: (topic: string) => number | null
  /** The topics that members of groups of the consumer protocol may read. @defaultValue none */
  readonly topics?: GroupTopics
  /** How groups of the consumer protocol are led. @defaultValue by Kafka's defaults */
  readonly consumerGroupSettings?: (group: string) => ConsumerGroupSettings
  /** How long offsets are kept, see `expireOffsets`. @defaultValue 7 days */
  readonly offsetsRetentionMs?: number
  /** What commits survive. @defaultValue 'flushed' */
  readonly acks?: CommitOptions['acks']
  /** Told of what went wrong where nobody waits for it. @defaultValue nothing */
  readonly onError?: (error: unknown, group: string) => void
}

/** A group of a data directory, with what is stored of its offsets. */
export interface StoredGroupDescription extends GroupDescription {
  readonly offsets: readonly StoredOffset[]
}
