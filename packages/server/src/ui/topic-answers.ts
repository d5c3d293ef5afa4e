import { defaultTopicSettings, type ResolvedTopicSettings } from '@varve/broker'
import type { Topic } from '@varve/broker/serving'
import type {
  PartitionAnswer,
  SettingAnswer,
  TopicAnswer,
  TopicRow,
  TopicsAnswer,
} from './answers.ts'
import type { PartitionAnswers } from './partition-answers.ts'
import type { UiContext } from './ui-context.ts'
import type { UiQuery } from './ui-query.ts'

const topicsMax = 500
const partitionsMax = 100

/** The topics, by name; with `search` those that have it in their name. */
export function topicsAnswer({ parts }: UiContext, query: UiQuery): TopicsAnswer {
  const search = query.text('search')?.toLowerCase() ?? ''
  const found = parts.topics.all.filter(({ name }) => name.toLowerCase().includes(search))
  found.sort((one, other) => (one.name < other.name ? -1 : 1))
  const shown = found.slice(0, query.limit('limit', topicsMax, topicsMax))
  return { topics: shown.map(rowOf), leftOut: found.length - shown.length }
}

/** A topic with its settings and its partitions, from `from` on. */
export async function topicAnswer(
  { clock }: UiContext,
  answers: PartitionAnswers,
  topic: Topic,
  query: UiQuery,
): Promise<TopicAnswer> {
  const from = query.whole('from') ?? 0
  const limit = query.limit('limit', 25, partitionsMax)
  const segmentsMax = query.limit('segments', 60, 2000)
  const { name, topicId, isInternal, settings } = topic
  const shown = topic.partitions.slice(from, from + limit)
  const partitions: PartitionAnswer[] = []
  // One after the other: each may read a batch, and a batch may be large.
  for (const partition of shown) partitions.push(await answers.of(topic, partition, segmentsMax))
  return {
    ...{ name, topicId, isInternal, settings: settingsOf(settings) },
    partitionCount: topic.partitions.length,
    partitions,
    nowMs: clock.now(),
  }
}

function rowOf(topic: Topic): TopicRow {
  const { name, isInternal, settings, partitions } = topic
  const row = { offline: 0, records: 0, sizeBytes: 0, segments: 0, produced: 0 }
  for (const { openLog: log, isUsable } of partitions) {
    if (!isUsable) row.offline++
    if (log === null) continue
    row.records += log.highWatermark - log.logStartOffset
    row.sizeBytes += log.sizeBytes
    row.segments += log.segmentCount
    row.produced += log.highWatermark
  }
  const { cleanupPolicy, retentionMs, retentionBytes } = settings
  const kept = { cleanupPolicy, retentionMs, retentionBytes }
  return { name, isInternal, partitions: partitions.length, ...row, ...kept }
}

function settingsOf(settings: ResolvedTopicSettings): readonly SettingAnswer[] {
  const defaults: Readonly<Record<string, unknown>> = { ...defaultTopicSettings }
  return Object.entries(settings).map(([name, value]) => {
    const text = textOf(value)
    return { name, value: text, isDefault: text === textOf(defaults[name]) }
  })
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value)
}
