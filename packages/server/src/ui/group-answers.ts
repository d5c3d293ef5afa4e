import {
  type ConsumerGroupMember,
  decodeAssignment,
  type GroupView,
  listPartitions,
} from '@varve/broker/serving'
import { type Offset, VarveError } from '@varve/record'
import type {
  AssignedAnswer,
  GroupAnswer,
  GroupOffsetAnswer,
  GroupRow,
  GroupsAnswer,
} from './answers.ts'
import type { UiContext } from './ui-context.ts'
import { UiRequestError } from './ui-errors.ts'
import type { UiQuery } from './ui-query.ts'

const groupsMax = 500
const offsetsMax = 2000
/** Of all members together. */
const assignedMax = 10_000

/** The groups, by name; with `search` those that have it in their name, with `topic` its own. */
export async function groupsAnswer(context: UiContext, query: UiQuery): Promise<GroupsAnswer> {
  const { groups } = context.parts
  // Looking must not make the topic of the groups where there are none.
  if (!groups.isUsed) return { groups: [], leftOut: 0 }
  const coordinator = await groups.coordinator()
  const search = query.text('search')?.toLowerCase() ?? ''
  const topic = query.text('topic')
  const names = await coordinator.list()
  const found = names
    .filter((name) => name.toLowerCase().includes(search))
    .filter((name) => {
      const offsets = coordinator.storeOf(name).offsets(name)
      return topic === null || offsets.some((offset) => offset.topic === topic)
    })
  const shown = found.slice(0, groupsMax)
  const rows: GroupRow[] = []
  for (const group of shown) rows.push(await rowOf(context, group))
  return { groups: rows, leftOut: found.length - shown.length }
}

/** A group with its members and what it has committed. Throws UiRequestError. */
export async function groupAnswer(context: UiContext, group: string): Promise<GroupAnswer> {
  if (!context.parts.groups.isUsed) throw new UiRequestError(404, `there is no group ${group}`)
  const coordinator = await context.parts.groups.coordinator()
  const { offsets, ...described } = await coordinator.describe(group)
  const sorted = offsets.toSorted(
    (one, other) => compare(one.topic, other.topic) || one.partition - other.partition,
  )
  const { state, protocolType, protocol, generation, members } = described
  const consumers = coordinator.consumers.find(group)
  const assigned =
    consumers === null
      ? assignmentsOf(coordinator.view(group))
      : assignedBy(context, consumers.members.values())
  return {
    ...{ group, state, protocolType, protocol, generation },
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost }) => {
      const of = assigned.get(memberId) ?? null
      return { memberId, groupInstanceId, clientId, clientHost, assigned: of }
    }),
    offsets: sorted.slice(0, offsetsMax).map((commit) => offsetOf(context, commit)),
  }
}

/** By member, of a group that has shared its partitions out, as far as its leader can be read. */
function assignmentsOf(found: GroupView | null): ReadonlyMap<string, readonly AssignedAnswer[]> {
  const assigned = new Map<string, readonly AssignedAnswer[]>()
  if (found?.state !== 'Stable' || found.protocolType !== 'consumer') return assigned
  let room = assignedMax
  for (const { memberId, assignment } of found.members) {
    try {
      const partitions = decodeAssignment(assignment).partitions.slice(0, room)
      room -= partitions.length
      assigned.set(memberId, byTopicOf(partitions))
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
    }
  }
  return assigned
}

/** Likewise, of a group in which the server shares them out. */
function assignedBy(
  { parts }: UiContext,
  members: Iterable<ConsumerGroupMember>,
): ReadonlyMap<string, readonly AssignedAnswer[]> {
  const names = new Map(parts.topics.all.map(({ topicId, name }) => [topicId, name]))
  const answers = new Map<string, readonly AssignedAnswer[]>()
  let room = assignedMax
  for (const { memberId, assigned } of members) {
    const partitions = listPartitions(assigned).flatMap((of) => {
      const topic = names.get(of.topicId)
      return topic === undefined ? [] : of.partitions.map((partition) => ({ topic, partition }))
    })
    const shown = partitions.slice(0, room)
    room -= shown.length
    answers.set(memberId, byTopicOf(shown))
  }
  return answers
}

async function rowOf(context: UiContext, group: string): Promise<GroupRow> {
  const coordinator = await context.parts.groups.coordinator()
  const { state, members, offsets } = await coordinator.describe(group)
  let lag: number | null = null
  for (const commit of offsets) {
    const of = offsetOf(context, commit).lag
    if (of !== null) lag = (lag ?? 0) + of
  }
  const topics = new Set(offsets.map(({ topic }) => topic)).size
  return { group, state, members: members.length, topics, lag }
}

function offsetOf(
  { parts }: UiContext,
  commit: {
    readonly topic: string
    readonly partition: number
    readonly offset: Offset
    readonly metadata: string
  },
): GroupOffsetAnswer {
  const { topic, partition, offset, metadata } = commit
  const log = parts.topics.find(topic)?.partitions[partition]?.openLog ?? null
  return {
    ...{ topic, partition, committedOffset: offset, metadata },
    logStartOffset: log?.logStartOffset ?? null,
    highWatermark: log?.highWatermark ?? null,
    lag: log === null ? null : Math.max(0, log.highWatermark - offset),
  }
}

function byTopicOf(
  all: ReadonlyArray<{ readonly topic: string; readonly partition: number }>,
): readonly AssignedAnswer[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of all) {
    const partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, [partition])
    else partitions.push(partition)
  }
  return [...topics]
    .map(([topic, partitions]) => ({ topic, partitions: partitions.sort((a, b) => a - b) }))
    .sort((one, other) => compare(one.topic, other.topic))
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
