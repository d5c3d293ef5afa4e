import type { ResetTarget, TopicPartition } from '@varve/broker'
import type { Clock } from '@varve/log'
import type { Home } from '../cluster/home.ts'
import type { EndLooks, ProgressingGroup } from './group-progress.ts'
import type { ResetStep } from './reset-steps.ts'

/** A group as `varve group` shows it. */
export interface ShownGroup extends ProgressingGroup {
  readonly group: string
  readonly protocolType: string
  /** Null on a server, which does not tell. */
  readonly generation: number | null
  /** `Stable`, `Empty` and so on; null in a directory, which does not tell who is there still. */
  readonly state: string | null
  /** Ids. */
  readonly members: readonly string[]
}

/** The consumer groups of a data directory or of a server. */
export interface GroupHome extends AsyncDisposable {
  readonly looks: EndLooks
  /** All of them, by name. */
  all(): Promise<readonly ShownGroup[]>
  /** Rejects with GroupNotFoundError. */
  group(name: string): Promise<ShownGroup>
  /** Rejects with TopicNotFoundError. */
  partitionCount(topic: string): Promise<number>
  /** Where a group would go on. Rejects with GroupNotFoundError. */
  planReset(
    group: string,
    places: readonly TopicPartition[],
    target: ResetTarget,
  ): Promise<readonly ResetStep[]>
  /** Sets where it goes on. Rejects likewise, and where the group has members. */
  reset(
    group: string,
    places: readonly TopicPartition[],
    target: ResetTarget,
  ): Promise<readonly ResetStep[]>
  /** Resolves with how many offsets it had committed. Rejects likewise. */
  delete(group: string): Promise<number>
}

export async function openGroups(home: Home, clock: Clock): Promise<GroupHome> {
  if ('data' in home) {
    const { DirectoryGroups } = await import('./directory-groups.ts')
    return DirectoryGroups.open(home.data, clock)
  }
  const { ClusterGroups } = await import('./cluster-groups.ts')
  return ClusterGroups.open(home.place)
}
