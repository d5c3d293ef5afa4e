import { type ListedTopic, listTopics, TopicNotFoundError } from '@varve/broker'
import {
  defaultCleaningPolicy,
  type ResolvedCleaningPolicy,
  resolveCleaningPolicy,
} from '@varve/cleaner'
import { nodeFileSystem } from '@varve/log'
import { parseSettings } from '../topic/setting-arguments.ts'

/** What the verbs that clean are told. */
export interface CleaningOptions {
  readonly data: string
  /** Only this topic; null: all of them. */
  readonly topic: string | null
  /** `name=value` each: settings for this time, over those of the topics. */
  readonly set: readonly string[]
  readonly json: boolean
}

/** A partition on disk, and how it is to be kept. */
export interface CleaningTarget {
  readonly name: string
  readonly path: string
  readonly policy: ResolvedCleaningPolicy
}

/** The partitions that are meant, by name. Throws TopicNotFoundError and InvalidArgumentError. */
export function cleaningTargets(options: CleaningOptions): readonly CleaningTarget[] {
  const { data, topic } = options
  const topics = listTopics(data).filter(({ name }) => topic === null || name === topic)
  if (topic !== null && topics.length === 0) throw new TopicNotFoundError(topic)
  return topics.flatMap((listed) => {
    const policy = policyOf(listed, options.set)
    return Array.from({ length: listed.partitions }, (_, partition) => {
      const name = `${listed.name}-${partition}`
      return { name, path: `${data}/${name}`, policy }
    }).filter(({ path }) => nodeFileSystem.stat(path) !== null)
  })
}

function policyOf({ settings, isInternal }: ListedTopic, set: readonly string[]) {
  const given = { ...settings, ...parseSettings(set) }
  const cleaning = Object.fromEntries(
    Object.entries(given).filter(([name]) => Object.hasOwn(defaultCleaningPolicy, name)),
  )
  const { cleanupPolicy = isInternal ? 'compact' : 'delete' } = given
  const list = typeof cleanupPolicy === 'string' ? [cleanupPolicy] : cleanupPolicy
  return resolveCleaningPolicy({ ...cleaning, cleanupPolicy: list ?? [] })
}
