import type { Cluster } from './cluster/cluster.ts'
import type { ClusterTopics } from './cluster/cluster-topics.ts'
import type { TopicAdministration } from './cluster/topic-administration.ts'

/** What an open cluster is made of. */
export interface OpenClusterParts {
  readonly cluster: Cluster
  readonly topics: ClusterTopics
  readonly administration: TopicAdministration
}

/** Of each open cluster: kept apart from its class, whose face is for programs. */
const partsOfClusters = new WeakMap<object, OpenClusterParts>()

/** Takes note of what an open cluster is made of. */
export function rememberClusterParts(varve: object, parts: OpenClusterParts): void {
  partsOfClusters.set(varve, parts)
}

/** What an open cluster is made of; null for what is none, as a data directory. */
export function clusterPartsOf(varve: object): OpenClusterParts | null {
  return partsOfClusters.get(varve) ?? null
}
