import { listTopics, TopicNotFoundError, Topics } from '@varve/broker'
import { openLogReadOnly } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, UsageError } from '../command-io.ts'
import { formatAmount } from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { nothingToChange, parseSettings } from '../topic/setting-arguments.ts'
import {
  type PartitionFacts,
  say,
  sayDeletion,
  sayTopic,
  sayTopics,
  summaryOf,
} from '../topic/topic-output.ts'

/** What every action of `varve topic` is told. */
export interface TopicOptions {
  readonly topic: string
  readonly data: string
  readonly json: boolean
}

export interface CreateTopicOptions extends TopicOptions {
  readonly partitions: number
  /** Of a cluster; a directory keeps one copy. Null for the usual number. */
  readonly replicationFactor: number | null
  /** `name=value` each. */
  readonly set: readonly string[]
}

/** Makes a topic. The data directory is made when it is not there. */
export async function createTopic(options: CreateTopicOptions, io: CommandIo): Promise<number> {
  requireCount('partitions', options.partitions, 1)
  const { replicationFactor } = options
  if (replicationFactor !== null && replicationFactor !== 1) {
    const rule = 'a data directory keeps one copy of each partition'
    throw new InvalidArgumentError('--replication-factor', replicationFactor, rule)
  }
  const settings = parseSettings(options.set)
  await using topics = await Topics.open(options.data, {})
  const topic = await topics.create(options.topic, options.partitions, withoutNulls(settings))
  const amount = formatAmount(options.partitions, 'partition')
  const text = `${topic.name}: made, with ${amount}`
  return say(io, options.json, text, summaryOf(topic.describe()))
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
    throw new UsageError('There is nothing to change.', nothingToChange)
  }
  await using topics = await openExisting(options.data, name)
  let topic = topics.topic(name)
  if (Object.keys(alteration).length > 0) topic = await topics.alter(name, alteration)
  if (partitions !== null) topic = await topics.grow(name, partitions)
  return say(io, options.json, `${name}: altered`, summaryOf(topic.describe()))
}

export interface DeleteTopicOptions extends TopicOptions {
  /** Do it; else it is only said what would go. */
  readonly yes: boolean
}

/** Deletes a topic with its records; without `yes`, says what that would be. */
export async function deleteTopic(options: DeleteTopicOptions, io: CommandIo): Promise<number> {
  const { topic: name } = options
  if (!options.yes) return sayDeletion(io, options.json, await describe(options.data, name))
  await using topics = await openExisting(options.data, name)
  await topics.delete(name)
  return say(io, options.json, `${name}: deleted`, { topic: name, deleted: true })
}

/** Lists topics. Takes no lock, and changes nothing. */
export async function listAllTopics(
  options: { readonly data: string; readonly internal: boolean; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  return sayTopics(io, options, listTopics(options.data))
}

/** Says what a topic is and how its partitions stand. Takes no lock, and changes nothing. */
export async function describeTopic(options: TopicOptions, io: CommandIo): Promise<number> {
  return sayTopic(io, options.json, await describe(options.data, options.topic))
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

function withoutNulls(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
}
