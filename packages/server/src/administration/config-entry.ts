/** Of what kind a setting's value is: Kafka's numbers. */
export const configTypes = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
} as const

export type ConfigType = keyof typeof configTypes

/** Where a setting's value comes from: Kafka's numbers. A lower one goes before a higher one. */
export const configSources = {
  /** The topic was given it. */
  topic: 1,
  /** It was set for this broker while it ran. */
  broker: 2,
  /** It was set for all brokers while they ran. */
  allBrokers: 3,
  /** The server was started with it. */
  started: 4,
  default: 5,
  /** The group was given it. */
  group: 8,
} as const

export type ConfigSource = (typeof configSources)[keyof typeof configSources]

/** A value that a setting has or would have, and from where. */
export interface ConfigValue {
  readonly name: string
  /** Null where there is none, or where it is not told. */
  readonly value: string | null
  readonly source: ConfigSource
}

/** A setting as clients are told of it. */
export interface ConfigEntry extends ConfigValue {
  readonly type: ConfigType
  readonly isReadOnly: boolean
  readonly documentation: string
  /** What it could be, the one that holds first. */
  readonly synonyms: readonly ConfigValue[]
}

/** What kinds of things have settings: Kafka's ConfigResource.Type. */
export const resourceTypes = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const
