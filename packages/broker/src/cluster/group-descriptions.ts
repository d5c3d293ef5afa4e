import type { ConsumerGroupPhase } from '../groups/consumer/consumer-group-state.ts'
import type { GroupDescription } from '../groups/group-administration.ts'
import type { GroupState } from '../groups/group-protocol.ts'
import type { ConsumerGroupAnswer } from './consumer-group-describe.ts'
import type { DescribeGroupsAnswer } from './kafka-client.ts'

export type ClassicGroupAnswer = DescribeGroupsAnswer['groups'][number]
type Described = Omit<GroupDescription, 'offsets'>

/** Of the classic protocol; one that is not there is told as dead. */
export function classicDescription(found: ClassicGroupAnswer): Described {
  return {
    ...{ group: found.groupId, type: 'classic', protocolType: found.protocolType, generation: -1 },
    state: found.groupState as GroupState,
    protocol: found.protocolData === '' ? null : found.protocolData,
    members: found.members.map(({ memberId, groupInstanceId, clientId, clientHost }) => {
      return { memberId, groupInstanceId: groupInstanceId ?? null, clientId, clientHost }
    }),
  }
}

/** Of the consumer protocol (KIP-848). */
export function consumerDescription(found: ConsumerGroupAnswer): Described {
  return {
    ...{ group: found.groupId, type: 'consumer', protocolType: 'consumer' },
    ...{ generation: found.groupEpoch, state: found.groupState as ConsumerGroupPhase },
    protocol: found.members.length === 0 ? null : found.assignorName,
    members: found.members.map(({ memberId, instanceId, clientId, clientHost }) => {
      return { memberId, groupInstanceId: instanceId, clientId, clientHost }
    }),
  }
}
