import type { TargetPartitions } from './assigned-partitions.ts'

/** A group whose partitions are to be divided by the server. */
export interface AssigningGroup {
  readonly members: readonly AssigningMember[]
  /** How many partitions a topic has that members read. */
  partitionCount(topicId: string): number
}

export interface AssigningMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Of topics that are there. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have until now. */
  readonly target: TargetPartitions
}

/** The server's assignors, the first of which is used where members have no wish: Kafka's. */
export const serverAssignors = ['uniform', 'range'] as const
