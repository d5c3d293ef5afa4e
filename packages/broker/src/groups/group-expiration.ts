import type { Timestamp } from '@varve/record'
import type { Group } from './classic/group.ts'
import type { ConsumerGroupState } from './consumer/consumer-group-state.ts'
import type { StoredOffset } from './group-offsets.ts'
import { subscribedTopicsOf } from './group-view.ts'
import { type ExpiryFacts, expiredOffsets } from './offset-expiration.ts'
import type { OffsetStore } from './offset-store.ts'

/**
 * Which offsets of a group in a store have expired, and whether nothing is left of it then. While
 * it commits, none: what is on its way to the log would be forgotten with what it replaces.
 */
export function expiredInStore(
  store: OffsetStore,
  name: string,
  group: Group | undefined,
  { nowMs, retentionMs }: { readonly nowMs: Timestamp; readonly retentionMs: number },
): { readonly expired: readonly StoredOffset[]; readonly isOver: boolean } {
  if (store.isCommitting(name)) return { expired: [], isOver: false }
  const all = store.offsets(name)
  const facts = factsOf(store.consumerGroup(name), group)
  const expired = expiredOffsets(all, facts, nowMs, retentionMs).filter(
    ({ topic, partition }) => !store.isPending(name, topic, partition),
  )
  return { expired, isOver: expired.length === all.length && !store.hasPending(name) }
}

function factsOf(consumers: ConsumerGroupState | null, group: Group | undefined): ExpiryFacts {
  if (consumers !== null) {
    const { members, subscribedTopics } = consumers
    const state = members.size === 0 ? 'empty' : 'stable'
    // Kafka does not note since when such a group has been empty: each commit has its own time.
    return { state, hasMembership: false, currentStateTimestamp: -1, subscribedTopics }
  }
  if (group === undefined) {
    const state = 'empty'
    return { state, hasMembership: false, currentStateTimestamp: -1, subscribedTopics: null }
  }
  const { state, metadata } = group
  return {
    state: state === 'Empty' ? 'empty' : state === 'Stable' ? 'stable' : 'changing',
    hasMembership: metadata.protocolType !== '',
    currentStateTimestamp: group.since,
    subscribedTopics: subscribedTopicsOf(metadata),
  }
}
