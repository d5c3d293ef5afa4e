import type { ResolvedTopicSettings, TopicAlteration, TopicSettings } from '@varve/broker'
import { checkTopicSettings } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { RequestRefusedError } from '../base/server-errors.ts'
import { formatConfigValue, invalidConfig, parseConfigValue } from './config-value.ts'
import {
  type KeptConfig,
  keptTopicConfigs,
  type TopicConfig,
  topicConfigs,
} from './topic-config-table.ts'

/** A setting as a client gives it. */
export interface GivenConfig {
  readonly name: string
  readonly value: string | null
}

/** A change of one setting: Kafka's AlterConfigOp. */
export interface ConfigOperation extends GivenConfig {
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
}

const byName: ReadonlyMap<string, TopicConfig | KeptConfig> = new Map(
  [...topicConfigs, ...keptTopicConfigs].map((config) => [config.name, config]),
)

/** Settings that a client gives a new topic, or gives one in place of all it has. */
export function givenSettings(
  configs: readonly GivenConfig[],
  defaults: ResolvedTopicSettings,
): TopicSettings {
  const operations = configs.map((config) => ({ ...config, operation: 'set' as const }))
  return changedSettings({}, operations, defaults)
}

/**
 * What a topic was given itself, after these changes. Throws RequestRefusedError.
 *
 * @param defaults what lists are appended to where the topic has none of its own
 */
export function changedSettings(
  own: TopicSettings,
  operations: readonly ConfigOperation[],
  defaults: ResolvedTopicSettings,
): TopicSettings {
  const { kafkaSettings = {}, ...others } = own
  const changed: Record<string, unknown> = { ...others }
  const kept: Record<string, string> = { ...kafkaSettings }
  for (const operation of operations) {
    const { name } = operation
    const config = byName.get(name)
    if (config === undefined) {
      // Kafka lets go what it does not know.
      if (operation.operation === 'delete') continue
      throw new RequestRefusedError('INVALID_CONFIG', `unknown topic config name: ${name}`)
    }
    if (config.setting === null) {
      const text = changedText(
        config,
        operation,
        kept[name] ?? ('usual' in config ? config.usual : ''),
      )
      if (text === null) delete kept[name]
      else kept[name] = text
    } else {
      const before = others[config.setting as keyof typeof others] ?? defaults[config.setting]
      const text = changedText(config, operation, formatConfigValue(before))
      if (text === null) delete changed[config.setting]
      else changed[config.setting] = settingValue(config, name, text)
    }
  }
  return Object.keys(kept).length === 0 ? changed : { ...changed, kafkaSettings: kept }
}

/** The alteration that makes one set of settings out of another. */
export function alterationTo(wanted: TopicSettings, own: TopicSettings): TopicAlteration {
  const none = Object.fromEntries(Object.keys(own).map((name) => [name, null]))
  return { ...none, ...wanted }
}

/** A setting's text after a change; null where it goes back to its default. */
export function changedText(
  config: Pick<TopicConfig, 'type'> & Partial<Pick<KeptConfig, 'problem'>>,
  { name, operation, value }: ConfigOperation,
  before: string,
): string | null {
  if (operation === 'delete') return null
  if (value === null) {
    throw new RequestRefusedError('INVALID_REQUEST', `null value not supported for: ${name}`)
  }
  let text = value
  if (operation !== 'set') {
    if (config.type !== 'list') {
      const rule = `cannot ${operation} to ${name}: its type is not LIST`
      throw new RequestRefusedError('INVALID_CONFIG', rule)
    }
    text = changedList(before, value, operation)
  }
  const parsed = parseConfigValue(name, config.type, text)
  const problem = config.problem?.(parsed) ?? null
  if (problem !== null) throw invalidConfig(name, text, problem)
  return text
}

function changedList(before: string, value: string, operation: 'append' | 'subtract'): string {
  const items = (text: string): readonly string[] => text.split(',').filter((item) => item !== '')
  const named = items(value)
  const kept = items(before).filter((item) => !named.includes(item))
  if (operation === 'subtract') return kept.join(',')
  return [...items(before), ...named.filter((item) => !items(before).includes(item))].join(',')
}

/**
 * A setting's value out of its text, as settings of topics have it: what has no end is -1 there,
 * where that may be. Throws RequestRefusedError.
 */
export function settingValue(config: TopicConfig, name: string, text: string): unknown {
  const parsed = parseConfigValue(name, config.type, text)
  const isLimit = config.isUnlimited || /^(?:retention|varve)\./.test(config.name)
  const value = isLimit && parsed === Number.MAX_SAFE_INTEGER ? -1 : parsed
  try {
    checkTopicSettings({ [config.setting ?? '']: value })
    return value
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw invalidConfig(name, text, error.message.slice(error.message.indexOf(': ') + 2))
  }
}
