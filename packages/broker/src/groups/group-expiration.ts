import type { Timestamp } from '@varve/record'
import type { Group } from './group.ts'
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
  const expired = expiredOffsets(all, factsOf(group), nowMs, retentionMs).filter(
    ({ topic, partition }) => !store.isPending(name, topic, partition),
  )
  return { expired, isOver: expired.length === all.length && !store.hasPending(name) }
}

function factsOf(group: Group | undefined): ExpiryFacts {
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
