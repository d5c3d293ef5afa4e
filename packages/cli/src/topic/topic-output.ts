import type { ListedTopic, TopicDescription } from '@varve/broker'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatBytes, formatCount } from '../human.ts'
import { LineOutput } from '../output.ts'

// What `varve topic` prints, wherever the topics are.

/** A partition as `varve topic describe` shows it. */
export interface PartitionFacts {
  readonly partition: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** Null where nobody tells. */
  readonly sizeBytes: number | null
  /** Null on a server, which does not tell. */
  readonly segments: number | null
  /** Why it cannot be read; null where it can. */
  readonly error: string | null
}

export interface TopicFacts extends Omit<ListedTopic, 'partitions' | 'settings'> {
  /** Those that it was given; null where the server does not tell. */
  readonly settings: ListedTopic['settings'] | null
  readonly partitions: readonly PartitionFacts[]
}

export async function sayTopics(
  io: CommandIo,
  { json, internal }: { readonly json: boolean; readonly internal: boolean },
  topics: ReadonlyArray<Pick<ListedTopic, 'name' | 'isInternal' | 'partitions'>>,
): Promise<number> {
  const lines = new LineOutput(io.stdout)
  for (const topic of topics) {
    if (topic.isInternal && !internal) continue
    if (json) lines.json(topic)
    else lines.line(`${topic.name}  ${formatAmount(topic.partitions, 'partition')}`)
  }
  await lines.flush()
  return exitCodes.fine
}

export async function sayTopic(io: CommandIo, json: boolean, facts: TopicFacts): Promise<number> {
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(facts)
  else {
    lines.line(`${facts.name}  ${facts.topicId ?? '(not in the catalogue)'}`)
    const { kafkaSettings, ...settings } = facts.settings ?? {}
    for (const [name, value] of Object.entries({ ...settings, ...kafkaSettings })) {
      lines.line(`  ${name}: ${Array.isArray(value) ? value.join(',') : value}`)
    }
    if (facts.settings === null) lines.line('  (its settings are not shown to this user)')
    for (const each of facts.partitions) lines.line(`  ${each.partition}: ${told(each)}`)
  }
  await lines.flush()
  return exitCodes.fine
}

function told({ error, logStartOffset, highWatermark, sizeBytes, segments }: PartitionFacts) {
  if (error !== null) return error
  const offsets = `offsets ${formatCount(logStartOffset)} to ${formatCount(highWatermark)}`
  if (sizeBytes === null) return offsets
  const parts = segments === null ? '' : ` in ${formatAmount(segments, 'segment')}`
  return `${offsets}, ${formatBytes(sizeBytes)}${parts}`
}

/** What would go with a topic, and how to have it go. */
export async function sayDeletion(
  io: CommandIo,
  json: boolean,
  { name, partitions }: Pick<TopicFacts, 'name' | 'partitions'>,
): Promise<number> {
  const sizes = partitions.map(({ sizeBytes }) => sizeBytes)
  const sum = sizes.reduce((all, size) => (all === null || size === null ? null : all + size), 0)
  const amount = formatAmount(partitions.length, 'partition')
  const what = sum === null ? amount : `${amount}, ${formatBytes(sum)}`
  const text = `${name}: ${what} would be deleted. Run it again with --yes.`
  const counts = { partitions: partitions.length, sizeBytes: sum }
  return say(io, json, text, { topic: name, deleted: false, ...counts })
}

/** A topic that was made or altered. */
export function summaryOf(topic: TopicDescription): object {
  const { name, topicId, settings, partitions } = topic
  return { topic: name, topicId, partitions: partitions.length, settings }
}

export async function say(
  io: CommandIo,
  json: boolean,
  text: string,
  document: object,
): Promise<number> {
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(document)
  else lines.line(text)
  await lines.flush()
  return exitCodes.fine
}
