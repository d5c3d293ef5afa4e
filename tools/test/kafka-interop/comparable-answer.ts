import type { ApiName } from '@varve/server'

type Plain = Readonly<Record<string, unknown>>

/** Values that say where and when, or how something is said: only their kind is compared. */
const ofKind: ReadonlySet<string> = new Set([
  ...['clusterId', 'topicId', 'port', 'host', 'logDir', 'totalBytes', 'usableBytes'],
  ...['partitionSize', 'errorMessage', 'documentation', 'throttleTimeMs'],
  ...['producerId', 'lastTimestamp', 'highWatermark', 'logEndOffset', 'listeners'],
  ...['lastFetchTimestamp', 'lastCaughtUpTimestamp'],
])

/** Settings whose values are each machine's own, or which Varve has otherwise, said why. */
const ownSettings: ReadonlySet<string> = new Set([
  // Where it runs, and how a broker for tests is started.
  ...['log.dirs', 'log.dir', 'listeners', 'auto.create.topics.enable', 'node.id', 'broker.id'],
  'group.initial.rebalance.delay.ms',
  // Varve bounds the memory for requests, where Kafka does so only when it is told to, and that
  // for answers more narrowly.
  ...['queued.max.request.bytes', 'fetch.max.bytes'],
  // Varve bounds connections, and keeps committed offsets together; Kafka does neither.
  ...['max.connections', 'max.connections.per.ip', 'offsets.topic.num.partitions'],
  // Kafka says it in hours where it was told nothing in milliseconds.
  ...['log.retention.ms', 'log.roll.ms', 'log.roll.jitter.ms', 'log.flush.interval.ms'],
  // Kafka 4 sets it for all brokers when it is formatted.
  'min.insync.replicas',
  // Kafka 4 has changed the default, and does not know the others any more.
  ...['message.timestamp.after.max.ms', 'log.message.timestamp.after.max.ms'],
  ...['message.format.version', 'message.downconversion.enable'],
  'message.timestamp.difference.max.ms',
  // The version whose protocol is served.
  'inter.broker.protocol.version',
])

/** Kafka says these in hours, or not at all, where nothing was said in milliseconds. */
const withoutSynonyms: ReadonlySet<string> = new Set([
  ...['retention.ms', 'segment.ms', 'segment.jitter.ms', 'flush.ms'],
])

/** The rights to describe and alter settings of groups, which Kafka 3.9 does not count. */
const groupConfigs = (1 << 10) | (1 << 11)

/**
 * An answer without what differs between two servers that do the same: lists without an order are
 * in one, and settings are those that both have.
 */
export function comparableAnswer(api: ApiName, answer: object, both: readonly object[]): unknown {
  const known = both.map((each) => new Set(settingNames(each)))
  const isShared = (name: string): boolean => known.every((names) => names.has(name))
  const isBroker = api === 'DescribeConfigs' && JSON.stringify(answer).includes('num.partitions')
  return comparable(answer, (name) => !ownSettings.has(name) && (!isBroker || isShared(name)))
}

function comparable(value: unknown, isCompared: (setting: string) => boolean): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((item) => comparable(item, isCompared))
    return items.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      if (ofKind.has(name)) return [name, kindOf(each)]
      if (name === 'authorizedOperations') return [name, Number(each) & ~groupConfigs]
      if (name === 'configs') return [name, settings(each as readonly Plain[], isCompared)]
      return [name, comparable(each, isCompared)]
    }),
  )
}

function settings(
  configs: readonly Plain[] | null,
  isCompared: (setting: string) => boolean,
): unknown {
  const compared = configs?.filter(({ name }) => isCompared(String(name)))
  const own = compared?.filter(({ name }) => !String(name).startsWith('varve.'))
  return comparable(
    own?.map((config) => {
      const isLoose = withoutSynonyms.has(String(config['name']))
      return isLoose ? { ...config, synonyms: null } : config
    }) ?? null,
    isCompared,
  )
}

/** An empty text and none are the same to clients. */
function kindOf(value: unknown): string {
  if (typeof value === 'number') return value > 0 ? 'positive' : `${value}`
  if (typeof value === 'string') return value === '' ? 'none' : 'text'
  return value === null ? 'none' : typeof value
}

function settingNames(answer: unknown): readonly string[] {
  if (Array.isArray(answer)) return answer.flatMap(settingNames)
  if (typeof answer !== 'object' || answer === null) return []
  return Object.entries(answer).flatMap(([key, value]) =>
    key === 'configs' && Array.isArray(value)
      ? value.map(({ name }: Plain) => String(name))
      : settingNames(value),
  )
}
