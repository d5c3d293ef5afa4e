import {
  type AssignedPartitions,
  listPartitions,
  noPartitions,
  type TargetPartitions,
} from './assigned-partitions.ts'
import {
  type ConsumerGroupMember,
  isReconciledTo,
  newConsumerGroupMember,
} from './consumer-group-member.ts'
import type {
  ConsumerGroupRecord,
  NotedAssignment,
  NotedPartitions,
  ResolvedExpression,
} from './consumer-group-record.ts'

/** Kafka's ConsumerGroupState, as it is told. */
export type ConsumerGroupPhase = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** A new group's epochs: its first members come into the one after. */
const firstEpoch = 1

/**
 * A group of the consumer protocol (KIP-848) as its records in `__consumer_offsets` have it, and
 * nothing beside: replaying them gives the same again, in whatever order compaction has left them.
 */
export class ConsumerGroupState {
  epoch: number = firstEpoch
  metadataHash = 0n
  /** The epoch of the target; what members are brought to. */
  targetEpoch: number = firstEpoch
  /** When the target was computed; 0 where it never was. */
  targetTimestamp = 0
  /** Whether Kafka before 4.1 noted what topics there are. */
  hasNotedTopics = false
  #hasEpoch = false
  #hasTargetEpoch = false
  readonly #members = new Map<string, ConsumerGroupMember>()
  readonly #targets = new Map<string, TargetPartitions>()
  readonly #expressions = new Map<string, ResolvedExpression>()
  readonly #instances = new Map<string, string>()
  /** Who has a partition, or has not given it up yet. */
  readonly #owners = new Map<string, string>()
  #classicCount = 0
  /** How many members of the classic protocol offer each protocol. */
  readonly #offers = new Map<string, number>()

  /** Whether no record of it is left. */
  get isGone(): boolean {
    const { size } = this.#members
    const isNoted = this.#hasEpoch || this.#hasTargetEpoch || this.hasNotedTopics
    return size === 0 && !isNoted && this.#targets.size === 0 && this.#expressions.size === 0
  }

  get members(): ReadonlyMap<string, ConsumerGroupMember> {
    return this.#members
  }

  /** How many members speak the classic protocol. */
  get classicCount(): number {
    return this.#classicCount
  }

  /** Whether all members that speak the classic protocol, if any, offer one. */
  isOfferedByAll(protocol: string): boolean {
    return (this.#offers.get(protocol) ?? 0) === this.#classicCount
  }

  /** What all of these offer. */
  get commonProtocols(): readonly string[] {
    return [...this.#offers.keys()].filter((name) => this.isOfferedByAll(name))
  }

  /** Regular expressions by what they are, as they were resolved last. */
  get expressions(): ReadonlyMap<string, ResolvedExpression> {
    return this.#expressions
  }

  get phase(): ConsumerGroupPhase {
    if (this.#members.size === 0) return 'Empty'
    if (this.epoch > this.targetEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.targetEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  /** What members have of it: everything that any of them reads, by name or by expression. */
  get subscribedTopics(): ReadonlySet<string> {
    const topics = new Set<string>()
    for (const { topicNames } of this.#members.values())
      for (const each of topicNames) topics.add(each)
    for (const { topics: found } of this.#expressions.values())
      for (const each of found) topics.add(each)
    return topics
  }

  target(memberId: string): TargetPartitions {
    return this.#targets.get(memberId) ?? noPartitions
  }

  /** Who a target was computed for, members or not any more. */
  get targets(): ReadonlyMap<string, TargetPartitions> {
    return this.#targets
  }

  instance(instanceId: string): ConsumerGroupMember | undefined {
    return this.#members.get(this.#instances.get(instanceId) ?? '')
  }

  isOwned(topicId: string, partition: number): boolean {
    return this.#owners.has(`${partition} ${topicId}`)
  }

  /** How many members have a regular expression. */
  readers(expression: string): number {
    let count = 0
    for (const { topicRegex } of this.#members.values()) if (topicRegex === expression) count += 1
    return count
  }

  /** All names that a member reads, of whatever topics. */
  topicsOf({ topicNames, topicRegex }: ConsumerGroupMember): ReadonlySet<string> {
    return new Set([...topicNames, ...(this.#expressions.get(topicRegex)?.topics ?? [])])
  }

  apply(record: ConsumerGroupRecord): void {
    switch (record.kind) {
      case 'epoch':
        this.#hasEpoch = record.value !== null
        this.epoch = record.value?.epoch ?? firstEpoch
        this.metadataHash = record.value?.metadataHash ?? 0n
        break
      case 'topics':
        this.hasNotedTopics = record.value !== null
        break
      case 'targetEpoch':
        this.#hasTargetEpoch = record.value !== null
        this.targetEpoch = record.value?.epoch ?? firstEpoch
        this.targetTimestamp = record.value?.timestamp ?? 0
        break
      case 'target':
        if (record.value === null) this.#targets.delete(record.memberId)
        else this.#targets.set(record.memberId, targetOf(record.value))
        break
      case 'expression':
        if (record.value === null) this.#expressions.delete(record.expression)
        else this.#expressions.set(record.expression, record.value)
        break
      case 'member':
        if (record.value === null) this.#remove(record.memberId)
        else this.#update({ ...this.#known(record.memberId), ...record.value })
        break
      case 'current':
        if (record.value !== null || this.#members.has(record.memberId)) {
          this.#update({ ...this.#known(record.memberId), ...assignmentOf(record.value) })
        }
        break
    }
  }

  #known(memberId: string): ConsumerGroupMember {
    return this.#members.get(memberId) ?? newConsumerGroupMember(memberId)
  }

  #update(member: ConsumerGroupMember): void {
    const { memberId, instanceId } = member
    const old = this.#members.get(memberId)
    if (old !== undefined) {
      this.#disown(old)
      this.#count(old, -1)
      if (old.instanceId !== instanceId) this.#forgetInstance(old)
    }
    this.#members.set(memberId, member)
    this.#count(member, 1)
    if (instanceId !== null) this.#instances.set(instanceId, memberId)
    for (const partitions of [member.assigned, member.revoking]) {
      for (const key of keysOf(partitions)) this.#owners.set(key, memberId)
    }
  }

  #remove(memberId: string): void {
    const old = this.#members.get(memberId)
    if (old === undefined) return
    this.#disown(old)
    this.#count(old, -1)
    this.#members.delete(memberId)
    this.#forgetInstance(old)
  }

  #count({ classic }: ConsumerGroupMember, change: 1 | -1): void {
    if (classic === null) return
    this.#classicCount += change
    for (const name of new Set(classic.protocols.map((each) => each.name))) {
      const count = (this.#offers.get(name) ?? 0) + change
      if (count === 0) this.#offers.delete(name)
      else this.#offers.set(name, count)
    }
  }

  #forgetInstance({ instanceId, memberId }: ConsumerGroupMember): void {
    if (instanceId !== null && this.#instances.get(instanceId) === memberId) {
      this.#instances.delete(instanceId)
    }
  }

  #disown({ memberId, assigned, revoking }: ConsumerGroupMember): void {
    for (const partitions of [assigned, revoking]) {
      for (const key of keysOf(partitions)) {
        if (this.#owners.get(key) === memberId) this.#owners.delete(key)
      }
    }
  }
}

function* keysOf(partitions: AssignedPartitions): Generator<string, void, undefined> {
  for (const [topicId, of] of partitions) {
    for (const partition of of.keys()) yield `${partition} ${topicId}`
  }
}

function targetOf(
  noted: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): TargetPartitions {
  return new Map(noted.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}

/** What is noted of what a member has; of a tombstone, what nobody has. */
function assignmentOf(noted: NotedAssignment | null): Partial<ConsumerGroupMember> {
  if (noted === null) {
    const memberEpoch = -1
    const previousMemberEpoch = -1
    return { memberEpoch, previousMemberEpoch, assigned: noPartitions, revoking: noPartitions }
  }
  const { memberEpoch, previousMemberEpoch, state } = noted
  const of = (all: readonly NotedPartitions[]): AssignedPartitions =>
    new Map(
      all.map(({ topicId, partitions, epochs }) => [
        topicId,
        new Map(partitions.map((each, index) => [each, epochs?.[index] ?? memberEpoch])),
      ]),
    )
  const assigned = of(noted.assigned)
  const revoking = of(noted.revoking)
  return { memberEpoch, previousMemberEpoch, state, assigned, revoking }
}

/** What a member has, to be noted. */
export function notedAssignment(member: ConsumerGroupMember): NotedAssignment {
  const { memberEpoch, previousMemberEpoch, state } = member
  const noted = (partitions: AssignedPartitions): NotedPartitions[] =>
    listPartitions(partitions).map((each) => {
      const of = partitions.get(each.topicId)
      return { ...each, epochs: each.partitions.map((index) => of?.get(index) ?? memberEpoch) }
    })
  const assigned = noted(member.assigned)
  const revoking = noted(member.revoking)
  return { memberEpoch, previousMemberEpoch, state, assigned, revoking }
}
