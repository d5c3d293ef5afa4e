import type { Group } from './classic/group.ts'
import type { ConsumerGroupState } from './consumer/consumer-group-state.ts'
import { assignorOf } from './consumer/consumer-group-target.ts'
import type { GroupDescription } from './group-administration.ts'
import { GroupNotEmptyError, GroupNotFoundError } from './group-errors.ts'
import { type GroupOverview, type GroupView, subscribedTopicsOf } from './group-view.ts'
import type { OffsetStore } from './offset-store.ts'

type Described = Omit<GroupDescription, 'offsets'>

/** A group of the classic protocol, as operators are shown it. */
export function describedGroup(group: string, view: GroupView): Described {
  const { state, protocolType, generation, protocol } = view
  const members = view.members.map(({ memberId, groupInstanceId, clientId, clientHost }) => {
    return { memberId, groupInstanceId, clientId, clientHost }
  })
  return { group, type: 'classic', state, protocolType, generation, protocol, members }
}

/** One of the consumer protocol (KIP-848), likewise. */
export function describedConsumers(group: string, consumers: ConsumerGroupState): Described {
  const { phase, epoch } = consumers
  const all = [...consumers.members.values()]
  const members = all.map(({ memberId, instanceId, clientId, clientHost }) => {
    return { memberId, groupInstanceId: instanceId, clientId, clientHost }
  })
  const protocol = all.length === 0 ? null : assignorOf(all)
  const kind = { type: 'consumer', protocolType: 'consumer' } as const
  return { group, ...kind, state: phase, generation: epoch, protocol, members }
}

/** All groups in short, in no order. */
export function groupsInShort(
  stores: readonly Pick<OffsetStore, 'groups' | 'consumerGroup'>[],
  classic: Iterable<Pick<Group, 'name' | 'protocolType' | 'state'>>,
): GroupOverview[] {
  const found = new Map<string, GroupOverview>()
  for (const store of stores) {
    for (const group of store.groups) {
      const state = store.consumerGroup(group)?.phase
      if (state === undefined) {
        found.set(group, { group, type: 'classic', protocolType: '', state: 'Empty' })
      } else found.set(group, { group, type: 'consumer', protocolType: 'consumer', state })
    }
  }
  for (const { name: group, protocolType, state } of classic) {
    // About to change its protocol: whichever way that goes, its members join again after it.
    const told = state === 'Dead' ? 'PreparingRebalance' : state
    found.set(group, { group, type: 'classic', protocolType, state: told })
  }
  return [...found.values()]
}

/**
 * What members of a group read, of either protocol; null for whatever there is. Throws
 * GroupNotFoundError, and GroupNotEmptyError where members are no consumers.
 */
export function readTopicsOf(
  group: string,
  consumers: ConsumerGroupState | null,
  view: GroupView | null,
): ReadonlySet<string> | null {
  if (consumers !== null) return consumers.subscribedTopics
  if (view === null) throw new GroupNotFoundError(group)
  if (view.members.length === 0) return new Set()
  if (view.protocolType === 'consumer') return subscribedTopicsOf(view)
  throw new GroupNotEmptyError(group, view.members.length)
}
