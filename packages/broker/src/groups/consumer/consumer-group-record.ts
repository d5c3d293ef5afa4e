import type { TopicIdPartitions } from './assigned-partitions.ts'
import type { ConsumerGroupMember, ReconciliationState } from './consumer-group-member.ts'

/** Partitions with the epochs in which they were given; no epochs are those of the member. */
export interface NotedPartitions extends TopicIdPartitions {
  readonly epochs: readonly number[] | null
}

/** What a member says of itself: Kafka's ConsumerGroupMemberMetadataValue. */
export type NotedMember = Pick<
  ConsumerGroupMember,
  | 'instanceId'
  | 'rackId'
  | 'clientId'
  | 'clientHost'
  | 'topicNames'
  | 'topicRegex'
  | 'rebalanceTimeoutMs'
  | 'serverAssignor'
  | 'classic'
>

/** What a member has: Kafka's ConsumerGroupCurrentMemberAssignmentValue. */
export interface NotedAssignment {
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: ReconciliationState
  readonly assigned: readonly NotedPartitions[]
  readonly revoking: readonly NotedPartitions[]
}

/** The topics that a regular expression stands for: Kafka's ConsumerGroupRegularExpressionValue. */
export interface ResolvedExpression {
  /** In order. */
  readonly topics: readonly string[]
  /** Of what was known of topics. */
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** A record of a group of the consumer protocol, by its kind. A null value is a tombstone. */
export type ConsumerGroupRecord = { readonly group: string } & (
  | {
      readonly kind: 'epoch'
      /** The hash is of what was known of the topics that members read. */
      readonly value: { readonly epoch: number; readonly metadataHash: bigint } | null
    }
  /** What Kafka noted of topics before 4.1: never written but as a tombstone. */
  | { readonly kind: 'topics'; readonly value: 'noted' | null }
  | { readonly kind: 'member'; readonly memberId: string; readonly value: NotedMember | null }
  | {
      readonly kind: 'targetEpoch'
      readonly value: { readonly epoch: number; readonly timestamp: number } | null
    }
  | {
      readonly kind: 'target'
      readonly memberId: string
      readonly value: readonly TopicIdPartitions[] | null
    }
  | { readonly kind: 'current'; readonly memberId: string; readonly value: NotedAssignment | null }
  | {
      readonly kind: 'expression'
      readonly expression: string
      readonly value: ResolvedExpression | null
    }
)

/** Kafka's numbers of the keys. */
export const consumerGroupKeyVersions: Readonly<Record<ConsumerGroupRecord['kind'], number>> = {
  epoch: 3,
  topics: 4,
  member: 5,
  targetEpoch: 6,
  target: 7,
  current: 8,
  expression: 16,
}
