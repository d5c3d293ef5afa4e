import { listTopics, type TopicDescription, TopicNotFoundError, Topics } from '@varve/broker'
import { openLogReadOnly } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatBytes, formatCount } from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { LineOutput } from '../output.ts'
import { parseSettings } from '../topic/setting-arguments.ts'

/** What every action of `varve topic` is told. */
export interface TopicOptions {
  readonly topic: string
  readonly data: string
  readonly json: boolean
}

export interface CreateTopicOptions extends TopicOptions {
  readonly partitions: number
  /** `name=value` each. */
  readonly set: readonly string[]
}

/** Makes a topic. The data directory is made when it is not there. */
export async function createTopic(options: CreateTopicOptions, io: CommandIo): Promise<number> {
  requireCount('partitions', options.partitions, 1)
  const settings = parseSettings(options.set)
  await using topics = await Topics.open(options.data, {})
  const topic = await topics.create(options.topic, options.partitions, withoutNulls(settings))
  const amount = formatAmount(options.partitions, 'partition')
  await say(io, options, `${topic.name}: made, with ${amount}`, summaryOf(topic.describe()))
  return exitCodes.fine
}

export interface AlterTopicOptions extends TopicOptions {
  /** More than there are; null leaves them. */
  readonly partitions: number | null
  readonly set: readonly string[]
  readonly unset: readonly string[]
}

/** Changes settings, or adds partitions. */
export async function alterTopic(options: AlterTopicOptions, io: CommandIo): Promise<number> {
  const { topic: name, partitions, set, unset } = options
  const alteration = parseSettings(set, unset)
  if (partitions === null && Object.keys(alteration).length === 0) {
    throw new InvalidArgumentError('arguments', 'none', 'say what to --set, --unset or add')
  }
  await using topics = await openExisting(options.data, name)
  let topic = topics.topic(name)
  if (Object.keys(alteration).length > 0) topic = await topics.alter(name, alteration)
  if (partitions !== null) topic = await topics.grow(name, partitions)
  await say(io, options, `${name}: altered`, summaryOf(topic.describe()))
  return exitCodes.fine
}

export interface DeleteTopicOptions extends TopicOptions {
  /** Do it; else it is only said what would go. */
  readonly yes: boolean
}

/** Deletes a topic with its records; without `yes`, says what that would be. */
export async function deleteTopic(options: DeleteTopicOptions, io: CommandIo): Promise<number> {
  const { topic: name } = options
  if (!options.yes) {
    const facts = await describe(options.data, name)
    const sum = facts.partitions.reduce((all, { sizeBytes }) => all + sizeBytes, 0)
    const what = `${formatAmount(facts.partitions.length, 'partition')}, ${formatBytes(sum)}`
    await say(io, options, `${name}: ${what} would be deleted. Run it again with --yes.`, {
      ...{ topic: name, deleted: false, partitions: facts.partitions.length, sizeBytes: sum },
    })
    return exitCodes.fine
  }
  await using topics = await openExisting(options.data, name)
  await topics.delete(name)
  await say(io, options, `${name}: deleted`, { topic: name, deleted: true })
  return exitCodes.fine
}

/** Lists topics. Takes no lock, and changes nothing. */
export async function listAllTopics(
  options: { readonly data: string; readonly internal: boolean; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const lines = new LineOutput(io.stdout)
  for (const topic of listTopics(options.data)) {
    if (topic.isInternal && !options.internal) continue
    if (options.json) lines.json(topic)
    else lines.line(`${topic.name}  ${formatAmount(topic.partitions, 'partition')}`)
  }
  await lines.flush()
  return exitCodes.fine
}

/** Says what a topic is and how its partitions stand. Takes no lock, and changes nothing. */
export async function describeTopic(options: TopicOptions, io: CommandIo): Promise<number> {
  const facts = await describe(options.data, options.topic)
  const lines = new LineOutput(io.stdout)
  if (options.json) {
    lines.json(facts)
  } else {
    lines.line(`${facts.name}  ${facts.topicId ?? '(not in the catalogue)'}`)
    const { kafkaSettings, ...settings } = facts.settings
    for (const [name, value] of Object.entries({ ...settings, ...kafkaSettings })) {
      lines.line(`  ${name}: ${Array.isArray(value) ? value.join(',') : value}`)
    }
    for (const each of facts.partitions) {
      const { logStartOffset, highWatermark } = each
      const records = `offsets ${formatCount(logStartOffset)} to ${formatCount(highWatermark)}`
      const size = `${formatBytes(each.sizeBytes)} in ${formatAmount(each.segments, 'segment')}`
      lines.line(`  ${each.partition}: ${each.error ?? `${records}, ${size}`}`)
    }
  }
  await lines.flush()
  return exitCodes.fine
}

interface PartitionFacts {
  readonly partition: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly sizeBytes: number
  readonly segments: number
  /** Why it cannot be read; null where it can. */
  readonly error: string | null
}

async function describe(data: string, name: string) {
  const topic = listTopics(data).find((each) => each.name === name)
  if (topic === undefined) throw new TopicNotFoundError(name)
  const partitions: PartitionFacts[] = []
  for (let partition = 0; partition < topic.partitions; partition++) {
    partitions.push(await factsOf(`${data}/${name}-${partition}`, partition))
  }
  return { ...topic, partitions }
}

async function factsOf(path: string, partition: number): Promise<PartitionFacts> {
  try {
    await using log = await openLogReadOnly(path)
    const segments = log.segments()
    const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    const { logStartOffset, highWatermark } = log
    const facts = { partition, logStartOffset, highWatermark, sizeBytes }
    return { ...facts, segments: segments.length, error: null }
  } catch (error) {
    const none = { logStartOffset: 0, highWatermark: 0, sizeBytes: 0, segments: 0 }
    return { partition, ...none, error: error instanceof Error ? error.message : String(error) }
  }
}

/** Not made by mistyping its name. */
async function openExisting(data: string, name: string): Promise<Topics> {
  if (!listTopics(data).some((topic) => topic.name === name)) throw new TopicNotFoundError(name)
  return Topics.open(data, {})
}

function summaryOf(topic: TopicDescription): object {
  const { name, topicId, settings, partitions } = topic
  return { topic: name, topicId, partitions: partitions.length, settings }
}

function withoutNulls(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
}

async function say(
  io: CommandIo,
  options: { readonly json: boolean },
  text: string,
  document: object,
): Promise<void> {
  const lines = new LineOutput(io.stdout)
  if (options.json) lines.json(document)
  else lines.line(text)
  await lines.flush()
}
