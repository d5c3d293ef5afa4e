import { defaultTopicSettings, type TopicAlteration, topicSettingNames } from '@varve/broker'
import { checkTopicSettings, servedConfigChanges } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'

/** What to say where no change is given. */
export const nothingToChange =
  'Say what to --set or --unset, or how many --partitions it shall have.'

/** What has no limit, as Kafka writes it and as people do. */
const withoutLimit: ReadonlySet<string> = new Set(['-1', 'never', 'none', 'unlimited'])

/**
 * Topic settings as they stand on a command line: `retentionMs=1000`, or under Kafka's own name,
 * `retention.ms=1000`. Lists are separated by commas. What settings have to do with each other is
 * checked where they are used.
 *
 * @throws {InvalidArgumentError}
 */
export function parseSettings(
  set: readonly string[],
  unset: readonly string[] = [],
): TopicAlteration {
  const given: Record<string, unknown> = {}
  for (const argument of set) {
    const at = argument.indexOf('=')
    if (at <= 0) throw new InvalidArgumentError('--set', argument, 'must be name=value')
    const name = settingName(argument.slice(0, at))
    if (Object.hasOwn(given, name)) {
      throw new InvalidArgumentError('--set', argument, `sets ${name} a second time`)
    }
    const value = parseValue(name, argument.slice(at + 1))
    checkValue(argument, name, value)
    given[name] = value
  }
  for (const argument of unset) {
    const name = settingName(argument)
    if (Object.hasOwn(given, name)) {
      throw new InvalidArgumentError('--unset', argument, 'is set at the same time')
    }
    given[name] = null
  }
  return given
}

/** `retention.ms`, `message.timestamp.before.max.ms`, …: Kafka's name of a setting. */
export function kafkaName(name: string): string {
  if (name === 'fileDeleteDelayMs') return 'file.delete.delay.ms'
  if (name === 'segmentIndexBytes') return 'segment.index.bytes'
  return name.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`)
}

/**
 * Settings as a server takes them, by Kafka's names and as texts: whichever it knows, ours too. A
 * null sets one back. Throws InvalidArgumentError.
 */
export function parseConfigs(
  set: readonly string[],
  unset: readonly string[] = [],
): ReadonlyArray<{ readonly name: string; readonly value: string | null }> {
  const isOurs = (text: string): boolean => {
    const [name = ''] = text.split('=', 1)
    return topicSettingNames.some((each) => each === name || kafkaName(each) === name)
  }
  const ours = parseSettings(set.filter(isOurs), unset.filter(isOurs))
  const others = set.filter((text) => !isOurs(text)).map(otherConfig)
  const back = unset.filter((text) => !isOurs(text)).map((name) => ({ name, value: null }))
  return [...servedConfigChanges(ours), ...others, ...back]
}

function otherConfig(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('--set', text, 'must be name=value')
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}

function settingName(text: string): keyof typeof defaultTopicSettings {
  const found = topicSettingNames.find((name) => name === text || kafkaName(name) === text)
  if (found !== undefined) return found
  const known = topicSettingNames.join(', ')
  throw new InvalidArgumentError('setting', text, `there is no such setting; there are ${known}`)
}

/** Says what is wrong of what was typed, not of the option that a program has for it. */
function checkValue(argument: string, name: string, value: unknown): void {
  try {
    checkTopicSettings({ [name]: value })
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    const { message: beginning } = new InvalidArgumentError(name, value, '')
    throw new InvalidArgumentError('--set', argument, error.message.slice(beginning.length))
  }
}

function parseValue(name: keyof typeof defaultTopicSettings, text: string): unknown {
  const usual = defaultTopicSettings[name]
  if (Array.isArray(usual)) {
    return text.trim() === '' ? [] : text.split(',').map((item) => item.trim())
  }
  if (typeof usual === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (typeof usual !== 'number') return text
  if (withoutLimit.has(text)) return -1
  const number = Number(text)
  return text.trim() === '' || Number.isNaN(number) ? text : number
}
