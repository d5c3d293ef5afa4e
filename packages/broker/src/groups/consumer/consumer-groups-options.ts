import type { Clock } from '@varve/log'
import type { GroupMemory } from '../group-memory.ts'
import type { GroupTopics } from '../group-topics.ts'
import type { OffsetStore } from '../offset-store.ts'
import type { ConsumerGroupSettings } from './consumer-group-heartbeat.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ClassicSide, ProtocolChangesHost } from './protocol-changes.ts'

export interface ConsumerGroupsOptions {
  readonly clock: Clock
  readonly topics: GroupTopics
  readonly memory: GroupMemory
  /** A text that was never given before, for ids of members. */
  readonly newId: () => string
  /** How groups are led where nobody says. */
  readonly settingsOf: (group: string) => ConsumerGroupSettings
  readonly storeOf: (group: string) => OffsetStore
  /** Notes records durably, all or none of them; `isUpgrade` of a group that was a classic one. */
  readonly note: (
    group: string,
    records: readonly ConsumerGroupRecord[],
    isUpgrade: boolean,
  ) => Promise<void>
  readonly noteDowngrade: ProtocolChangesHost['noteDowngrade']
  readonly classic: ClassicSide
  readonly failed: (error: unknown, group: string) => void
}

/** Who asks, and how the group is led. */
export interface HeartbeatCircumstances {
  readonly settings: ConsumerGroupSettings
  /** Whether the member may know of a topic. */
  readonly isVisible: (topic: string) => boolean
}
