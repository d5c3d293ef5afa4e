import { defaultTopicSettings, type ResolvedTopicSettings, type TopicSettings } from '@varve/broker'
import {
  type BrokerFacts,
  type FixedBrokerConfig,
  fixedBrokerConfigs,
  groupBrokerConfigs,
  inheritedConfigs,
  throttleConfigs,
} from './broker-config-table.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { type ConfigEntry, type ConfigValue, configSources } from './config-entry.ts'
import { formatConfigValue, kafkaUnlimited } from './config-value.ts'
import {
  type KeptConfig,
  keptTopicConfigs,
  type TopicConfig,
  topicConfigs,
} from './topic-config-table.ts'

/** What Varve's internal topics are given, as Kafka gives them to its own. */
const internalOwn: ReadonlySet<string> = new Set(['cleanupPolicy', 'segmentBytes'])

/** A topic as far as its settings go: one that is there, or that would be. */
export interface SetTopic {
  readonly isInternal: boolean
  readonly settings: ResolvedTopicSettings
}

/** All settings of a topic, each with its value and where that comes from. */
export function topicEntries(
  topic: SetTopic,
  own: TopicSettings,
  broker: BrokerSettings,
): readonly ConfigEntry[] {
  const had = topicConfigs.map((config) => {
    const { setting } = config
    if (setting === null) return entryOf(config, [])
    const isOwn = setting in own || (topic.isInternal && internalOwn.has(setting))
    return entryOf(config, [
      ...(isOwn ? [ownValue(config, settingText(config, topic.settings[setting]))] : []),
      ...inheritedValues(config, broker),
    ])
  })
  const kept = keptTopicConfigs.flatMap((config) => {
    const text = own.kafkaSettings?.[config.name]
    if (config.isOld && text === undefined) return []
    const values = inheritedValues(config, broker)
    return [entryOf(config, text === undefined ? values : [ownValue(config, text), ...values])]
  })
  return [...had, ...kept]
}

/** All settings of the broker. */
export function brokerEntries(facts: BrokerFacts, broker: BrokerSettings): readonly ConfigEntry[] {
  const fixed = fixedBrokerConfigs.map((config): ConfigEntry => {
    return { ...startedEntry(config, facts, []), isReadOnly: true }
  })
  const ofGroups = [...groupBrokerConfigs.values()].map((config): ConfigEntry => {
    return { ...startedEntry(config, facts, broker.valuesOf(config.name)), isReadOnly: false }
  })
  const inherited = [...inheritedConfigs].map(([name, config]) => ({
    ...entryOf(config, inheritedValues(config, broker)),
    name,
  }))
  return [...fixed, ...ofGroups, ...inherited, ...throttles(broker)]
}

/** What it was told while it runs goes before what it was started with. */
function startedEntry(
  { name, type, usual, documentation, value: startedValue }: FixedBrokerConfig,
  facts: BrokerFacts,
  told: readonly ConfigValue[],
): Omit<ConfigEntry, 'isReadOnly'> {
  const started = startedValue(facts)
  const source = started === usual ? configSources.default : configSources.started
  const synonyms: ConfigValue[] = [...told, { name, value: started, source }]
  if (usual !== null && started !== usual) {
    synonyms.push({ name, value: usual, source: configSources.default })
  }
  const [first = { value: started, source }] = synonyms
  return { name, type, value: first.value, source: first.source, documentation, synonyms }
}

/** Those that were set for all brokers. */
export function allBrokersEntries(broker: BrokerSettings): readonly ConfigEntry[] {
  return broker.names('allBrokers').map((name): ConfigEntry => {
    const config = inheritedConfigs.get(name) ?? groupBrokerConfigs.get(name)
    const values = broker.valuesOf(name)
    const synonyms = values.filter(({ source }) => source === configSources.allBrokers)
    const value = synonyms[0]?.value ?? null
    return {
      ...{ name, value, source: configSources.allBrokers, synonyms, isReadOnly: false },
      type: config?.type ?? 'long',
      documentation: config?.documentation ?? throttleDocumentation,
    }
  })
}

const throttleDocumentation = 'Kept and told; no replicas are moved, so it does nothing.'

function throttles(broker: BrokerSettings): readonly ConfigEntry[] {
  return [...throttleConfigs].flatMap((name): readonly ConfigEntry[] => {
    const synonyms = broker.valuesOf(name)
    const [first] = synonyms
    if (first === undefined) return []
    const documentation = throttleDocumentation
    return [{ ...first, type: 'long', isReadOnly: false, documentation, synonyms }]
  })
}

function ownValue({ name }: TopicConfig, value: string): ConfigValue {
  return { name, value, source: configSources.topic }
}

/** What holds for a topic that was given nothing, the one that holds first. */
function inheritedValues(
  config: TopicConfig | KeptConfig,
  broker: BrokerSettings,
): readonly ConfigValue[] {
  const { setting, brokerName } = config
  const name = brokerName ?? config.name
  const values = brokerName === null ? [] : [...broker.valuesOf(brokerName)]
  if (setting === null) {
    const usual = 'usual' in config ? config.usual : null
    return [...values, { name, value: usual, source: configSources.default }]
  }
  const started = broker.started[setting]
  if (started !== undefined) {
    values.push({ name, value: settingText(config, started), source: configSources.started })
  }
  const usual = settingText(config, defaultTopicSettings[setting])
  return [...values, { name, value: usual, source: configSources.default }]
}

function settingText({ isUnlimited }: TopicConfig, value: unknown): string {
  return isUnlimited && value === -1 ? kafkaUnlimited : formatConfigValue(value)
}

function entryOf(config: TopicConfig | KeptConfig, values: readonly ConfigValue[]): ConfigEntry {
  const { name, type, documentation, brokerName } = config
  const { value, source } = values[0] ?? { value: null, source: configSources.default }
  // What no broker's setting stands behind has no synonym of that name.
  const synonyms = values.filter(
    (each) => brokerName !== null || each.source < configSources.started,
  )
  return { name, type, value, source, isReadOnly: false, documentation, synonyms }
}
