import { type GroupTopics, idsOf } from '../group-topics.ts'
import { listPartitions, sameTargets, type TargetPartitions } from './assigned-partitions.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { assignRanges } from './range-server-assignor.ts'
import { serverAssignors } from './server-assignor.ts'
import { assignUniformly } from './uniform-server-assignor.ts'

/** What there is to be divided, and among whom. */
export interface TargetInput {
  readonly group: string
  /** The epoch that the target is for. */
  readonly epoch: number
  readonly nowMs: number
  readonly members: readonly ConsumerGroupMember[]
  /** Who had the target of a member before: itself, or whose place it has taken. */
  readonly formerIds: ReadonlyMap<string, string>
  readonly topics: GroupTopics
}

/**
 * Divides a group's partitions anew. Returns what every member is to have, and the records that
 * note what is another than before.
 */
export function newTarget(
  state: ConsumerGroupState,
  input: TargetInput,
): {
  readonly targets: ReadonlyMap<string, TargetPartitions>
  readonly records: readonly ConsumerGroupRecord[]
} {
  const { group, epoch, nowMs, members, formerIds, topics } = input
  const counts = new Map<string, number>()
  const assigning = members.map((member) => {
    const names = state.topicsOf(member)
    for (const name of names) {
      const topic = topics.find(name)
      if (topic !== null) counts.set(topic.topicId, topic.partitionCount)
    }
    const target = state.target(formerIds.get(member.memberId) ?? member.memberId)
    const { memberId, instanceId: groupInstanceId } = member
    return { memberId, groupInstanceId, topicIds: idsOf(names, topics), target }
  })
  const partitionCount = (topicId: string): number => counts.get(topicId) ?? 0
  const assign = assignorOf(members) === 'range' ? assignRanges : assignUniformly
  const targets = assign({ members: assigning, partitionCount })
  const records: ConsumerGroupRecord[] = []
  for (const [memberId, target] of targets) {
    const before = state.targets.get(memberId)
    if (before !== undefined && sameTargets(before, target)) continue
    records.push({ kind: 'target', group, memberId, value: listPartitions(target) })
  }
  records.push({ kind: 'targetEpoch', group, value: { epoch, timestamp: nowMs } })
  return { targets, records }
}

/** What most members wish for; the first of those that there are where nobody does. */
export function assignorOf(members: Iterable<ConsumerGroupMember>): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  let most: string = serverAssignors[0]
  for (const [name, count] of votes) if (count > (votes.get(most) ?? 0)) most = name
  return most
}
