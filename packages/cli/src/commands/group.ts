import type { ResetTarget } from '@varve/broker'
import { InvalidArgumentError } from '@varve/record'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes, UsageError } from '../command-io.ts'
import { parseStartingPoint } from '../consume/starting-point.ts'
import { openGroups, type ShownGroup } from '../group/group-home.ts'
import { progressOf, sumOfLags } from '../group/group-progress.ts'
import type { ResetStep } from '../group/reset-steps.ts'
import { sideBySide } from '../group/side-by-side.ts'
import { chosenPartitions } from '../group/topic-choice.ts'
import { formatAmount, formatCount } from '../human.ts'
import { LineOutput, renderTable } from '../output.ts'

/** What every action of `varve group` on one group is told. */
export interface GroupOptions {
  readonly group: string
  readonly home: Home
  readonly json: boolean
}

/** The ends of their partitions are looked for meanwhile. */
const groupsAtOnce = 32

/** Lists groups with their lag. In a directory it takes no lock, and changes nothing. */
export async function listGroups(
  options: { readonly home: Home; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const lines = new LineOutput(io.stdout)
  await using groups = await openGroups(options.home, io.clock)
  const rows: string[][] = []
  const all = await groups.all()
  const lags = await sideBySide(all, groupsAtOnce, async (listed) => {
    return sumOfLags(await progressOf(listed, groups.looks))
  })
  for (const [index, { group, members, offsets }] of all.entries()) {
    const lag = lags[index] ?? 0
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

/** Shows how far a group has come, by partition. In a directory it takes no lock. */
export async function describeGroup(options: GroupOptions, io: CommandIo): Promise<number> {
  const lines = new LineOutput(io.stdout)
  await using groups = await openGroups(options.home, io.clock)
  const listed = await groups.group(options.group)
  const partitions = await progressOf(listed, groups.looks)
  const { group, protocolType, generation, state, members } = listed
  if (options.json) {
    const lag = sumOfLags(partitions)
    const told = { group, protocolType, generation, members, lag, partitions }
    lines.json(state === null ? told : { ...told, state })
  } else {
    lines.line(`${group}: ${standingOf(listed)}`)
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

const resetHelp = "See 'varve group reset --help'."

/** Sets where a group goes on; without `yes`, says where that would be. */
export async function resetGroup(options: ResetGroupOptions, io: CommandIo): Promise<number> {
  const { group, yes } = options
  const target = resetTargetOf(options)
  if (options.topics.length === 0) {
    throw new UsageError('Say which: --topic NAME, or --topic NAME:PARTITION.', resetHelp)
  }
  await using groups = await openGroups(options.home, io.clock)
  const places = await chosenPartitions(options.topics, (topic) => groups.partitionCount(topic))
  const steps = yes
    ? await groups.reset(group, places, target)
    : await groups.planReset(group, places, target)
  await sayReset(options, steps, io)
  return exitCodes.fine
}

export interface DeleteGroupOptions extends GroupOptions {
  readonly yes: boolean
}

/** Forgets a group and its offsets; without `yes`, says what that would be. */
export async function deleteGroup(options: DeleteGroupOptions, io: CommandIo): Promise<number> {
  const { group, yes, json } = options
  const lines = new LineOutput(io.stdout)
  await using groups = await openGroups(options.home, io.clock)
  const count = yes ? await groups.delete(group) : (await groups.group(group)).offsets.length
  if (json) lines.json({ group, deleted: yes, offsets: count })
  else if (yes) lines.line(`${group}: deleted`)
  else {
    const what = `the group with ${formatAmount(count, 'committed offset')}`
    lines.line(`${group}: ${what} would be deleted. Run it again with --yes.`)
  }
  await lines.flush()
  return exitCodes.fine
}

function standingOf({ generation, state, members }: ShownGroup): string {
  const count = members.length === 0 ? 'no members' : formatAmount(members.length, 'member')
  return state === null ? `generation ${generation}, ${count} noted` : `${state}, ${count}`
}

function resetTargetOf({ to, shiftBy }: ResetGroupOptions): ResetTarget {
  if ((to === null) === (shiftBy === null)) {
    throw new UsageError('Say where the group goes on: either --to, or --shift-by.', resetHelp)
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
