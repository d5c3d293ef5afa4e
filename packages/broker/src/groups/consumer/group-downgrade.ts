import type { HandedOverGroup, HandedOverMember } from '../classic/handed-over-group.ts'
import { chooseProtocol } from '../classic/protocol-choice.ts'
import { encodeAssignment } from '../consumer-protocol.ts'
import type { LocalMember } from '../group-protocol.ts'
import type { GroupTopics } from '../group-topics.ts'
import type { AssignedPartitions, TargetPartitions } from './assigned-partitions.ts'
import type { ConsumerGroupSettings } from './consumer-group-heartbeat.ts'
import type { ClassicMembership, ConsumerGroupMember } from './consumer-group-member.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { isTooMuch, mayDowngrade } from './group-migration-policy.ts'
import { consumerProtocolType } from './group-upgrade.ts'

/** Who goes when a group changes its protocol, and who takes the place of one of them. */
export interface Downgrade {
  readonly leaving: readonly ConsumerGroupMember[]
  /** A static member in the place of the only one that leaves; null for none. */
  readonly joining: ConsumerGroupMember | null
  readonly nowMs: number
  readonly topics: GroupTopics
  /** Members of this process, by their ids. */
  readonly localOf: (memberId: string) => LocalMember | null
}

/**
 * Whether a group becomes one of the classic protocol when these members leave: they are all that
 * speak the consumer protocol, the policy allows it, and it can be noted at once.
 */
export function isDowngrade(
  state: ConsumerGroupState,
  leaving: readonly ConsumerGroupMember[],
  joiningCount: number,
  { migrationPolicy, classicMembersMax }: ConsumerGroupSettings,
): boolean {
  if (!mayDowngrade(migrationPolicy) || leaving.length === 0) return false
  if (leaving.some(({ classic }) => classic !== null)) return false
  const count = state.members.size - leaving.length
  if (count + joiningCount === 0 || count + joiningCount > classicMembersMax) return false
  if (state.classicCount !== count) return false
  const said = [...state.members.values()].map(({ classic, assigned }) => {
    const has = [...assigned.values()].reduce((sum, of) => sum + 4 * of.size, 0)
    return { protocols: classic?.protocols ?? [], has }
  })
  return !isTooMuch(said)
}

/**
 * The group as one of the classic protocol, by Kafka's rules: the epoch is its generation, and
 * nobody leads it yet. Members have what they have, where Kafka notes what they were to have: the
 * same when all have come to rest, and otherwise they divide anew at once.
 */
export function downgraded(
  state: ConsumerGroupState,
  { leaving, joining, nowMs, topics, localOf }: Downgrade,
): HandedOverGroup {
  const gone = new Set(leaving.map(({ memberId }) => memberId))
  const left = [...state.members.values()].filter(({ memberId }) => !gone.has(memberId))
  const names = namesOf(state, joining, topics)
  const former = leaving[0]?.memberId ?? ''
  const classic = [...left, ...(joining === null ? [] : [joining])].flatMap((member) => {
    return member.classic === null ? [] : [{ member, classic: member.classic }]
  })
  return {
    ...{ protocolType: consumerProtocolType, generation: state.epoch, leader: null },
    protocol: chooseProtocol(classic.map(({ classic: { protocols } }) => ({ protocols }))),
    ...{ currentStateTimestamp: nowMs, isStable: true },
    members: classic.map(({ member, classic: of }) => {
      const has = member === joining ? state.target(former) : heldBy(member)
      const assignment = assignmentBytes(has, of, names)
      return handedOver(member, of, assignment, localOf(member.memberId))
    }),
  }
}

/** What a member has, with what it has not said yet that it has given up. */
function heldBy({ assigned, revoking }: ConsumerGroupMember): AssignedPartitions {
  if (revoking.size === 0) return assigned
  const held = new Map(assigned)
  for (const [topicId, of] of revoking) {
    held.set(topicId, new Map([...(held.get(topicId) ?? []), ...of]))
  }
  return held
}

/** Partitions as a member of the classic protocol is told them, in the version that it speaks. */
export function assignmentBytes(
  partitions: AssignedPartitions | TargetPartitions,
  { protocols }: ClassicMembership,
  names: ReadonlyMap<string, string>,
): Buffer {
  const listed = [...partitions].flatMap(([topicId, of]) => {
    const topic = names.get(topicId)
    if (topic === undefined) return []
    return [...of.keys()].sort((a, b) => a - b).map((partition) => ({ topic, partition }))
  })
  const metadata = protocols[0]?.metadata ?? Buffer.alloc(0)
  const version = metadata.length < 2 ? 0 : metadata.readInt16BE(0)
  return encodeAssignment({ partitions: listed, userData: null }, Math.max(0, Math.min(version, 3)))
}

/** The names of topics that members read, by their ids. */
export function namesOf(
  state: ConsumerGroupState,
  joining: ConsumerGroupMember | null,
  topics: GroupTopics,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const name of [...state.subscribedTopics, ...(joining?.topicNames ?? [])]) {
    const found = topics.find(name)
    if (found !== null) names.set(found.topicId, name)
  }
  return names
}

function handedOver(
  member: ConsumerGroupMember,
  { sessionTimeoutMs, protocols }: ClassicMembership,
  assignment: Buffer,
  local: LocalMember | null,
): HandedOverMember {
  const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
  return {
    ...{ memberId, groupInstanceId: instanceId, clientId, clientHost, rebalanceTimeoutMs },
    ...{ sessionTimeoutMs, protocols, assignment, local },
  }
}
