import { InvalidArgumentError } from '@varve/record'
import {
  checkTopicSettings,
  defaultTopicSettings,
  type ResolvedTopicSettings,
  type TopicAlteration,
  type TopicSettings,
  topicSettingNames,
} from '../base/topic-settings.ts'

import type { Cluster } from './cluster.ts'
import { whole } from './kafka-failures.ts'

/** A topic's setting as Kafka takes it. */
export interface TopicConfig {
  /** `retention.ms` */
  readonly name: string
  readonly value: string
}

type SettingName = keyof ResolvedTopicSettings

/** Varve's own: a cluster does not know them. */
const ownSettings: ReadonlySet<string> = new Set([
  'recordTtlMs',
  'holdForGroups',
  'holdBytesMax',
  'holdMsMax',
])

/** Which Kafka 4 does not know any more. */
const goneSettings: ReadonlySet<string> = new Set([
  'message.format.version',
  'message.downconversion.enable',
  'message.timestamp.difference.max.ms',
])

/** Kafka 4.1 and newer refuse smaller segments. */
const segmentBytesMin = 2 ** 20

/** Kafka's ConfigResource.Type. */
export const topicResource = 2 as const

/**
 * Settings as a cluster takes them. Throws InvalidArgumentError for values that are not allowed,
 * and for settings that only a data directory has.
 */
export function topicConfigs(settings: TopicSettings): TopicConfig[] {
  const { kafkaSettings = {}, ...others } = checkTopicSettings(settings)
  const configs = Object.entries(others).map(([name, value]) => {
    return { name: configName(name as SettingName), value: configValue(value) }
  })
  return [...configs, ...Object.entries(kafkaSettings).map(([name, value]) => ({ name, value }))]
}

/** Those of a data directory's settings that a cluster of any version has too, as it takes them. */
export function clusterSettings(settings: TopicSettings): TopicSettings {
  const { kafkaSettings = {}, ...others } = settings
  const kept = Object.entries(kafkaSettings).filter(([name]) => !goneSettings.has(name))
  const given = Object.entries(others).filter(([name]) => !ownSettings.has(name))
  const isEmpty = kept.length === 0
  const { segmentBytes = segmentBytesMin } = others
  return {
    ...Object.fromEntries(given),
    ...(segmentBytes < segmentBytesMin && { segmentBytes: segmentBytesMin }),
    ...(isEmpty ? {} : { kafkaSettings: Object.fromEntries(kept) }),
  }
}

/**
 * Changes of settings by the names that a Varve server has for them, its own too; those that are
 * null are set back. Throws InvalidArgumentError.
 */
export function servedConfigChanges(
  alteration: TopicAlteration,
): ReturnType<typeof topicConfigChanges> {
  const isOwn = ([name]: readonly [string, unknown]): boolean => ownSettings.has(name)
  const entries = Object.entries(alteration)
  const own = Object.fromEntries(entries.filter(isOwn)) as TopicAlteration
  const shared = entries.filter((entry) => !isOwn(entry))
  const given = Object.entries(own).filter(([, value]) => value !== null && value !== undefined)
  checkTopicSettings(Object.fromEntries(given) as TopicSettings)
  return [
    ...topicConfigChanges(Object.fromEntries(shared)),
    ...Object.entries(own).map(([name, value]) => {
      return { name: servedName(name), value: value === null ? null : configValue(value) }
    }),
  ]
}

/** Under which a Varve server has a setting of its own. */
function servedName(name: string): string {
  return `varve.${dotted(name)}`
}

function dotted(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`)
}

/** Changes of settings; those that are null are set back. Throws as `topicConfigs`. */
export function topicConfigChanges(
  alteration: TopicAlteration,
): ReadonlyArray<{ readonly name: string; readonly value: string | null }> {
  const entries = Object.entries(alteration).filter(([, value]) => value !== undefined)
  const given = entries.filter(([, value]) => value !== null)
  for (const [name] of entries) {
    if (topicSettingNames.includes(name as SettingName)) continue
    throw new InvalidArgumentError(name, alteration[name as SettingName], 'no such topic setting')
  }
  const removed = entries.filter(([, value]) => value === null)
  return [
    ...topicConfigs(Object.fromEntries(given) as TopicSettings),
    ...removed.map(([name]) => ({ name: configName(name as SettingName), value: null })),
  ]
}

/** What a topic of a cluster is set to. Once. */
export async function readTopicSettings(
  cluster: Cluster,
  topic: string,
): Promise<ResolvedTopicSettings> {
  const { api } = cluster.client.describeConfigsV4
  const resource = { resourceType: topicResource, resourceName: topic, configurationKeys: null }
  const answer = await cluster.onAny((connection) => {
    return api.async(connection, [resource], false, false)
  })
  const values = new Map(
    answer.results.flatMap(({ configs }) => configs.map(({ name, value }) => [name, value])),
  )
  const settings: Record<string, unknown> = { ...defaultTopicSettings }
  for (const name of topicSettingNames) {
    if (!isShared(name)) continue
    const value = values.get(configName(name))
    if (typeof value === 'string') settings[name] = settingValue(name, value)
  }
  return Object.freeze(settings) as unknown as ResolvedTopicSettings
}

/** DescribeConfigs' source of what was set for the one topic. */
const ofTheTopic = 1

/**
 * What topics were given, beyond the defaults of brokers; nothing of those whose settings the
 * brokers do not tell. Those that a data directory has not stand in `kafkaSettings`.
 */
export async function readGivenSettings(
  cluster: Cluster,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicSettings>> {
  if (topics.length === 0) return new Map()
  const { api } = cluster.client.describeConfigsV4
  const resources = topics.map((resourceName) => {
    return { resourceType: topicResource, resourceName, configurationKeys: null }
  })
  const { results } = await cluster.retrying('reading the settings of topics', () => {
    return cluster.onAny((connection) => {
      // Where one topic is refused, the others are told all the same.
      return whole(api.async(connection, resources, false, false))
    })
  })
  const told = results.filter(({ errorCode }) => errorCode === 0)
  return new Map(
    told.map(({ resourceName, configs }) => {
      const given = configs.filter(({ configSource }) => configSource === ofTheTopic)
      return [resourceName, settingsOf(given)]
    }),
  )
}

function settingsOf(
  configs: ReadonlyArray<{ readonly name: string; readonly value?: string | null | undefined }>,
): TopicSettings {
  const settings: Record<string, unknown> = {}
  const kafkaSettings: Record<string, string> = {}
  for (const { name, value } of configs) {
    if (typeof value !== 'string') continue
    const known = topicSettingNames.find((each) => {
      return isShared(each) ? configName(each) === name : servedName(each) === name
    })
    if (known === undefined) kafkaSettings[name] = value
    else settings[known] = settingValue(known, value)
  }
  const isEmpty = Object.keys(kafkaSettings).length === 0
  return { ...settings, ...(isEmpty ? {} : { kafkaSettings }) }
}

/** Whether it is a setting of both a data directory and a cluster. */
function isShared(name: SettingName): boolean {
  return !ownSettings.has(name) && name !== 'kafkaSettings'
}

/** Kafka's name of a setting. Throws InvalidArgumentError where it has none. */
function configName(name: SettingName): string {
  if (name === 'kafkaSettings') {
    const rule = 'in a cluster each of them is set back by itself'
    throw new InvalidArgumentError(name, undefined, rule)
  }
  if (ownSettings.has(name)) {
    const rule = 'only a data directory has this setting; a cluster has not'
    throw new InvalidArgumentError(name, undefined, rule)
  }
  return dotted(name)
}

function configValue(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}

function settingValue(name: SettingName, value: string): unknown {
  const like = defaultTopicSettings[name]
  if (Array.isArray(like)) return value.split(',').filter((each) => each !== '')
  if (typeof like === 'boolean') return value === 'true'
  if (typeof like !== 'number') return value
  const number = Number(value)
  // Kafka says "without limit" with the largest long; here that is -1 where it is allowed.
  return number > Number.MAX_SAFE_INTEGER ? -1 : number
}
