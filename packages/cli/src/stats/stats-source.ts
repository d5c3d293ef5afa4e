import type { Home } from '../cluster/home.ts'

/** A topic as it stands now. */
export interface LookedTopic {
  readonly topic: string
  readonly partitions: number
  /** Offsets between the start of its logs and their ends; compaction and markers leave fewer. */
  readonly records: number
  /** Null where a server does not tell. */
  readonly sizeBytes: number | null
  /** Of all its logs together. */
  readonly end: number
  /** Partitions that cannot be read, and why. */
  readonly errors: readonly string[]
}

export interface GroupStats {
  readonly group: string
  readonly lag: number
}

/** Where topics and groups are looked at, again and again: without writing. */
export interface StatsSource extends AsyncDisposable {
  look(): Promise<{
    readonly topics: readonly LookedTopic[]
    readonly groups: readonly GroupStats[]
  }>
}

/**
 * @param internal Kafka's own topics too
 *
 * Rejects as `openCluster` does.
 */
export async function openStats(home: Home, internal: boolean): Promise<StatsSource> {
  if ('data' in home) {
    const { DirectoryStats } = await import('./directory-stats.ts')
    return new DirectoryStats(home.data, internal)
  }
  const { ClusterStats } = await import('./cluster-stats.ts')
  return await ClusterStats.open(home.place, internal)
}
