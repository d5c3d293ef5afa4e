import type { CreateTopicOptions, Varve } from '@varve/broker'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount, formatCount } from '../human.ts'
import { LineOutput } from '../output.ts'
import { parseSettings } from '../topic/setting-arguments.ts'
import type { ClusterPlace } from './client-properties.ts'
import { openCluster } from './open-cluster.ts'

// The actions of `varve topic` that work by the network, on a server of Varve's or Kafka's.

export interface ClusterTopicOptions {
  readonly place: ClusterPlace
  readonly topic: string
  readonly json: boolean
}

export async function listClusterTopics(
  {
    place,
    internal,
    json,
  }: {
    readonly place: ClusterPlace
    readonly internal: boolean
    readonly json: boolean
  },
  io: CommandIo,
): Promise<number> {
  await using varve = await openCluster(place)
  const lines = new LineOutput(io.stdout)
  for (const name of await varve.listTopics({ internal })) {
    if (json) lines.json({ name })
    else lines.line(name)
  }
  await lines.flush()
  return exitCodes.fine
}

export async function describeClusterTopic(
  { place, topic, json }: ClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  await using varve = await openCluster(place)
  const facts = await varve.describeTopic(topic)
  const lines = new LineOutput(io.stdout)
  if (json) {
    lines.json(facts)
  } else {
    lines.line(`${facts.name}  ${facts.topicId}`)
    for (const [name, value] of Object.entries(facts.settings)) {
      lines.line(`  ${name}: ${Array.isArray(value) ? value.join(',') : value}`)
    }
    for (const { partition, logStartOffset, highWatermark, error } of facts.partitions) {
      const offsets = `offsets ${formatCount(logStartOffset)} to ${formatCount(highWatermark)}`
      lines.line(`  ${partition}: ${error?.message ?? offsets}`)
    }
  }
  await lines.flush()
  return exitCodes.fine
}

export interface CreateClusterTopicOptions extends ClusterTopicOptions {
  readonly partitions: number
  /** `name=value` each. */
  readonly set: readonly string[]
}

export async function createClusterTopic(
  { place, topic, json, partitions, set }: CreateClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  const settings = parseSettings(set) as CreateTopicOptions
  await using varve = await openCluster(place)
  const { name } = await varve.createTopic(topic, { ...settings, partitions })
  const text = `${name}: made, with ${formatAmount(partitions, 'partition')}`
  return say(io, json, text, { topic: name, partitions })
}

export interface DeleteClusterTopicOptions extends ClusterTopicOptions {
  /** Do it; else it is only said what would go. */
  readonly yes: boolean
}

export async function deleteClusterTopic(
  { place, topic, json, yes }: DeleteClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  await using varve: Varve = await openCluster(place)
  const { partitions } = await varve.describeTopic(topic)
  if (yes) await varve.deleteTopic(topic)
  const what = formatAmount(partitions.length, 'partition')
  const planned = `${topic}: ${what} would be deleted. Run it again with --yes.`
  const told = { topic, deleted: yes, partitions: partitions.length }
  return say(io, json, yes ? `${topic}: deleted` : planned, told)
}

async function say(io: CommandIo, json: boolean, text: string, document: object): Promise<number> {
  const lines = new LineOutput(io.stdout)
  if (json) lines.json(document)
  else lines.line(text)
  await lines.flush()
  return exitCodes.fine
}
