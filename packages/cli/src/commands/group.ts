import {
  GroupListing,
  type ResetTarget,
  type ResettableLog,
  resetOffset,
  type TopicPartition,
} from '@varve/broker'
import { openLogReadOnly } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { parseStartingPoint } from '../consume/starting-point.ts'
import { editGroup } from '../group/group-editing.ts'
import { progressOf, sumOfLags } from '../group/group-progress.ts'
import { chosenPartitions } from '../group/topic-choice.ts'
import { formatAmount, formatCount } from '../human.ts'
import { LineOutput, renderTable } from '../output.ts'
import { lookingOnce, PartitionLooks } from '../stats/partition-looks.ts'

/** What every action of `varve group` on one group is told. */
export interface GroupOptions {
  readonly group: string
  readonly data: string
  readonly json: boolean
}

/** Lists groups with their lag. Takes no lock, and changes nothing. */
export async function listGroups(
  options: { readonly data: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const lines = new LineOutput(io.stdout)
  await using listing = await GroupListing.open(options.data)
  await using opened = new PartitionLooks(options.data)
  const looks = lookingOnce(opened)
  const rows: string[][] = []
  for (const listed of listing.groups) {
    const { group, members, offsets } = listed
    const lag = sumOfLags(await progressOf(listed, looks))
    const topics = [...new Set(offsets.map(({ topic }) => topic))]
    if (options.json) {
      lines.json({ group, members: members.length, topics, partitions: offsets.length, lag })
    } else {
      rows.push([group, topics.join(','), formatCount(offsets.length), formatCount(lag)])
    }
  }
  if (rows.length > 0) {
    const columns = [{ title: 'GROUP' }, { title: 'TOPICS' }, right('PARTITIONS'), right('LAG')]
    for (const line of renderTable(columns, rows)) lines.line(line)
  }
  await lines.flush()
  return exitCodes.fine
}

/** Shows how far a group has come, by partition. Takes no lock, and changes nothing. */
export async function describeGroup(options: GroupOptions, io: CommandIo): Promise<number> {
  const lines = new LineOutput(io.stdout)
  await using listing = await GroupListing.open(options.data)
  await using looks = new PartitionLooks(options.data)
  const listed = listing.group(options.group)
  const partitions = await progressOf(listed, looks)
  const { group, protocolType, generation, members } = listed
  if (options.json) {
    const lag = sumOfLags(partitions)
    lines.json({ group, protocolType, generation, members, lag, partitions })
  } else {
    const noted = members.length === 0 ? 'no members' : formatAmount(members.length, 'member')
    lines.line(`${group}: generation ${generation}, ${noted} noted`)
    const columns = [
      ...[{ title: 'TOPIC' }, right('PARTITION'), right('COMMITTED'), right('END'), right('LAG')],
    ]
    const rows = partitions.map(({ topic, partition, committedOffset, endOffset, lag }) => [
      ...[topic, String(partition), formatCount(committedOffset)],
      ...[orDash(endOffset), orDash(lag)],
    ])
    if (rows.length > 0) for (const line of renderTable(columns, rows)) lines.line(line)
  }
  await lines.flush()
  return exitCodes.fine
}

export interface ResetGroupOptions extends GroupOptions {
  /** `topic` or `topic:partition` each. */
  readonly topics: readonly string[]
  /** `earliest`, `latest`, an offset, or a time in ISO 8601; null with `shiftBy`. */
  readonly to: string | null
  readonly shiftBy: number | null
  /** Do it; else it is only said what would be. */
  readonly yes: boolean
}

interface ResetStep extends TopicPartition {
  /** Null where nothing is. */
  readonly committedOffset: number | null
  readonly newOffset: number
}

/** Sets where a group goes on; without `yes`, says where that would be. */
export async function resetGroup(options: ResetGroupOptions, io: CommandIo): Promise<number> {
  const { group, data, yes } = options
  const target = resetTargetOf(options)
  if (options.topics.length === 0) {
    throw new InvalidArgumentError('--topic', undefined, 'say which: topic or topic:partition')
  }
  const places = chosenPartitions(data, options.topics)
  const steps = yes
    ? await editGroup(data, group, async ({ topics, store }) => {
        const done = await stepsOf(places, target, {
          committed: ({ topic, partition }) =>
            store.committed(group, topic, partition)?.offset ?? null,
          withLog: (place, use) => use(topics.topic(place.topic).partition(place.partition).log),
        })
        const offsets = done.map(({ topic, partition, newOffset: offset }) => {
          return { topic, partition, offset }
        })
        await store.commit(group, offsets, { timestamp: io.clock.now() })
        return done
      })
    : await planReset(group, data, places, target)
  await sayReset(options, steps, io)
  return exitCodes.fine
}

export interface DeleteGroupOptions extends GroupOptions {
  readonly yes: boolean
}

/** Forgets a group and its offsets; without `yes`, says what that would be. */
export async function deleteGroup(options: DeleteGroupOptions, io: CommandIo): Promise<number> {
  const { group, data, yes, json } = options
  const lines = new LineOutput(io.stdout)
  const count = yes ? await forget(group, data, io) : await countOffsets(group, data)
  if (json) lines.json({ group, deleted: yes, offsets: count })
  else if (yes) lines.line(`${group}: deleted`)
  else {
    const what = `the group with ${formatAmount(count, 'committed offset')}`
    lines.line(`${group}: ${what} would be deleted. Run it again with --yes.`)
  }
  await lines.flush()
  return exitCodes.fine
}

function forget(group: string, data: string, io: CommandIo): Promise<number> {
  return editGroup(data, group, async ({ store }) => {
    const offsets = store.offsets(group)
    const commit = { timestamp: io.clock.now() }
    await store.deleteOffsets(group, offsets, commit)
    if (store.metadata(group) !== null) await store.saveMetadata(group, null, commit)
    return offsets.length
  })
}

async function countOffsets(group: string, data: string): Promise<number> {
  await using listing = await GroupListing.open(data)
  return listing.group(group).offsets.length
}

async function planReset(
  group: string,
  data: string,
  places: readonly TopicPartition[],
  target: ResetTarget,
): Promise<readonly ResetStep[]> {
  await using listing = await GroupListing.open(data)
  const { offsets } = listing.group(group)
  return await stepsOf(places, target, {
    committed: ({ topic, partition }) =>
      offsets.find((each) => each.topic === topic && each.partition === partition)?.offset ?? null,
    withLog: async ({ topic, partition }, use) => {
      await using log = await openLogReadOnly(`${data}/${topic}-${partition}`)
      return await use(log)
    },
  })
}

interface ResetSource {
  committed(place: TopicPartition): number | null
  withLog<Result>(
    place: TopicPartition,
    use: (log: ResettableLog) => Promise<Result>,
  ): Promise<Result>
}

async function stepsOf(
  places: readonly TopicPartition[],
  target: ResetTarget,
  source: ResetSource,
): Promise<readonly ResetStep[]> {
  const steps: ResetStep[] = []
  for (const place of places) {
    const committedOffset = source.committed(place)
    const newOffset = await source.withLog(place, (log) =>
      resetOffset(target, log, committedOffset),
    )
    steps.push({ ...place, committedOffset, newOffset })
  }
  return steps
}

function resetTargetOf({ to, shiftBy }: ResetGroupOptions): ResetTarget {
  if ((to === null) === (shiftBy === null)) {
    throw new InvalidArgumentError('--to', to ?? undefined, 'say where: --to, or --shift-by')
  }
  if (shiftBy !== null) {
    if (Number.isSafeInteger(shiftBy)) return { shiftBy }
    throw new InvalidArgumentError('--shift-by', shiftBy, 'must be an integer')
  }
  const place = parseStartingPoint('--to', to ?? '')
  return typeof place === 'number' ? { offset: place } : place
}

async function sayReset(
  { group, json, yes }: ResetGroupOptions,
  steps: readonly ResetStep[],
  io: CommandIo,
): Promise<void> {
  const lines = new LineOutput(io.stdout)
  if (json) lines.json({ group, reset: yes, partitions: steps })
  else {
    const columns = [{ title: 'TOPIC' }, right('PARTITION'), right('COMMITTED'), right('NEW')]
    const rows = steps.map(({ topic, partition, committedOffset, newOffset }) => [
      ...[topic, String(partition), orDash(committedOffset), formatCount(newOffset)],
    ])
    for (const line of renderTable(columns, rows)) lines.line(line)
    lines.line(
      yes ? `${group}: reset` : `${group}: would be reset like this. Run it again with --yes.`,
    )
  }
  await lines.flush()
}

function right(title: string): { readonly title: string; readonly align: 'right' } {
  return { title, align: 'right' }
}

function orDash(count: number | null): string {
  return count === null ? '-' : formatCount(count)
}
