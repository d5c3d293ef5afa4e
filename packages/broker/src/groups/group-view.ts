import type { ConsumerGroupPhase } from './consumer/consumer-group-state.ts'
import { subscribedTopics } from './consumer-protocol.ts'
import type { GroupType } from './group-administration.ts'
import type { GroupMetadata } from './group-metadata.ts'
import type { GroupState } from './group-protocol.ts'

/** A group as it stands at this moment. */
export interface GroupView extends GroupMetadata {
  readonly state: GroupState
}

/** A group in a list. */
export interface GroupOverview {
  readonly group: string
  readonly type: GroupType
  /** Empty where only offsets were ever committed in its name. */
  readonly protocolType: string
  readonly state: GroupState | ConsumerGroupPhase
}

/** A group for which only offsets were ever committed. */
export const emptyGroup: GroupView = {
  ...{ state: 'Empty', protocolType: '', generation: 0, protocol: null, leader: null },
  ...{ currentStateTimestamp: -1, members: [] },
}

/** What a group of consumers reads; null where its members are none, or say what is not known. */
export function subscribedTopicsOf(
  group: Pick<GroupMetadata, 'protocolType' | 'members'>,
): ReadonlySet<string> | null {
  const { protocolType, members } = group
  if (protocolType !== 'consumer' || members.length === 0) return null
  const all = new Set<string>()
  for (const { subscription } of members) {
    const topics = subscribedTopics(subscription)
    if (topics === null) return null
    for (const topic of topics) all.add(topic)
  }
  return all
}
