// Which partitions members of consumer groups have: by the ids of topics, as Kafka's records and
// requests of the protocol of KIP-848 name them.

/** By topic id, by partition: the epoch in which the member was given it. */
export type AssignedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

/** By topic id: what a member is to have. */
export type TargetPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** Partitions of one topic, as requests and answers name them. */
export interface TopicIdPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const noPartitions: ReadonlyMap<string, never> = new Map<string, never>()

/** Partitions in order, by topics in order: equal sets are listed alike. */
export function listPartitions(
  partitions: AssignedPartitions | TargetPartitions,
): TopicIdPartitions[] {
  return [...partitions]
    .map(([topicId, of]) => ({ topicId, partitions: [...of.keys()].sort((a, b) => a - b) }))
    .sort((one, other) => (one.topicId < other.topicId ? -1 : 1))
}

export function sameTargets(one: TargetPartitions, other: TargetPartitions): boolean {
  if (one.size !== other.size) return false
  for (const [topicId, partitions] of one) {
    const others = other.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const partition of partitions) if (!others.has(partition)) return false
  }
  return true
}

/** Whether both are the same partitions, of whatever epochs. */
export function sameAssigned(one: AssignedPartitions, other: AssignedPartitions): boolean {
  return sameTargets(targetOf(one), targetOf(other))
}

export function targetOf(partitions: AssignedPartitions): TargetPartitions {
  return new Map([...partitions].map(([topicId, of]) => [topicId, new Set(of.keys())]))
}

/** Whether all that a member says it has was given to it. */
export function isWithin(owned: readonly TopicIdPartitions[], given: AssignedPartitions): boolean {
  return owned.every(({ topicId, partitions }) => {
    return partitions.every((partition) => given.get(topicId)?.has(partition) === true)
  })
}

/** Whether a member says that it has some of these. */
export function ownsAny(owned: readonly TopicIdPartitions[], of: AssignedPartitions): boolean {
  return owned.some(({ topicId, partitions }) => {
    return partitions.some((partition) => of.get(topicId)?.has(partition) === true)
  })
}

/** The same partitions as given in epoch 0: to whoever takes a static member's place. */
export function ofEpochZero(partitions: AssignedPartitions): AssignedPartitions {
  return new Map(
    [...partitions].map(([topicId, of]) => [
      topicId,
      new Map([...of.keys()].map((partition) => [partition, 0])),
    ]),
  )
}
