import type { CreateTopicOptions } from '@varve/broker'
import {
  listClusterTopics as listTopics,
  type OpenClusterParts,
  partitionSizes,
  readGivenSettings,
} from '@varve/broker/serving'
import { type CommandIo, UsageError } from '../command-io.ts'
import { formatAmount } from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { nothingToChange, parseConfigs } from '../topic/setting-arguments.ts'
import {
  say,
  sayDeletion,
  sayTopic,
  sayTopics,
  summaryOf,
  type TopicFacts,
} from '../topic/topic-output.ts'
import type { ClusterPlace } from './client-properties.ts'
import { openCluster, partsOf } from './open-cluster.ts'

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
  }: { readonly place: ClusterPlace; readonly internal: boolean; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  await using varve = await openCluster(place)
  const parts = partsOf(varve)
  const topics = json ? await listTopics(parts) : await parts.administration.list()
  return await sayTopics(io, { json, internal }, topics)
}

export async function describeClusterTopic(
  { place, topic, json }: ClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  await using varve = await openCluster(place)
  return await sayTopic(io, json, await factsOf(partsOf(varve), topic))
}

export interface CreateClusterTopicOptions extends ClusterTopicOptions {
  readonly partitions: number
  /** Null: as many as the cluster makes by default. */
  readonly replicationFactor: number | null
  /** `name=value` each. */
  readonly set: readonly string[]
}

export async function createClusterTopic(
  { place, topic, json, partitions, replicationFactor, set }: CreateClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  requireCount('partitions', partitions, 1)
  requireCount('replication-factor', replicationFactor, 1)
  const configs = parseConfigs(set).map(({ name, value }) => [name, value ?? ''] as const)
  const options: CreateTopicOptions = {
    ...{ partitions, kafkaSettings: Object.fromEntries(configs) },
    ...(replicationFactor !== null && { replicationFactor }),
  }
  await using varve = await openCluster(place)
  const made = await varve.createTopic(topic, options)
  const text = `${made.name}: made, with ${formatAmount(partitions, 'partition')}`
  return await say(io, json, text, summaryOf(made))
}

export interface AlterClusterTopicOptions extends ClusterTopicOptions {
  /** More than there are; null leaves them. */
  readonly partitions: number | null
  readonly set: readonly string[]
  readonly unset: readonly string[]
}

export async function alterClusterTopic(
  { place, topic, json, partitions, set, unset }: AlterClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  requireCount('partitions', partitions, 1)
  const changes = parseConfigs(set, unset)
  if (partitions === null && changes.length === 0) {
    throw new UsageError('There is nothing to change.', nothingToChange)
  }
  await using varve = await openCluster(place)
  const { administration } = partsOf(varve)
  if (changes.length > 0) await administration.alterConfigs(topic, changes)
  if (partitions !== null) await administration.addPartitions(topic, partitions)
  const altered = await administration.describe(topic)
  return await say(io, json, `${topic}: altered`, summaryOf(altered))
}

export interface DeleteClusterTopicOptions extends ClusterTopicOptions {
  /** Do it; else it is only said what would go. */
  readonly yes: boolean
}

export async function deleteClusterTopic(
  { place, topic, json, yes }: DeleteClusterTopicOptions,
  io: CommandIo,
): Promise<number> {
  await using varve = await openCluster(place)
  if (!yes) return await sayDeletion(io, json, await factsOf(partsOf(varve), topic))
  await varve.deleteTopic(topic)
  return await say(io, json, `${topic}: deleted`, { topic, deleted: true })
}

async function factsOf(
  { cluster, administration }: OpenClusterParts,
  topic: string,
): Promise<TopicFacts> {
  const { name, topicId, isInternal, partitions } = await administration.outline(topic)
  const sizes = await partitionSizes(cluster, topic, partitions.length)
  const settings = (await readGivenSettings(cluster, [topic])).get(topic) ?? null
  const facts = partitions.map(({ partition, logStartOffset, highWatermark, error }) => ({
    ...{ partition, logStartOffset, highWatermark, segments: null },
    sizeBytes: sizes?.get(partition) ?? null,
    error: error?.message ?? null,
  }))
  return { name, topicId, isInternal, partitions: facts, settings }
}
