import type { ConsumerGroupSettings } from '@varve/broker/serving'
import type { ResolvedConsumerGroupServingOptions } from '../base/consumer-group-options.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { ServerState } from '../base/server-state.ts'
import { assignmentIntervalMsMax } from './broker-config-table.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { type ConfigEntry, configSources } from './config-entry.ts'
import { invalidConfig } from './config-value.ts'
import { type ConfigOperation, changedText } from './topic-changes.ts'

/** What the server was started with, as far as groups are concerned. */
type GroupServingOptions = ResolvedConsumerGroupServingOptions & { readonly groupSizeMax: number }
type Texts = Readonly<Record<string, string>>
type Stored = Readonly<Record<string, Texts>>

interface GroupConfig {
  readonly name: string
  /** The broker's setting, which holds for groups that were given nothing. */
  readonly brokerName: string
  readonly usual: string
  readonly documentation: string
  value(options: ResolvedConsumerGroupServingOptions): number
  bounds(options: ResolvedConsumerGroupServingOptions): readonly [min: number, max: number]
}

const sectionName = 'groupConfigs'
/** So many groups may have settings of their own. */
const groupsMax = 10_000

/** What a group may be given: Kafka's GroupConfig, as far as groups of consumers go. */
const groupConfigs: readonly GroupConfig[] = [
  {
    name: 'consumer.assignment.interval.ms',
    brokerName: 'group.consumer.assignment.interval.ms',
    usual: '1000',
    documentation: 'How long what has been divided stands at least.',
    value: ({ groupConsumerAssignmentIntervalMs }) => groupConsumerAssignmentIntervalMs,
    bounds: () => [0, assignmentIntervalMsMax],
  },
  {
    name: 'consumer.heartbeat.interval.ms',
    brokerName: 'group.consumer.heartbeat.interval.ms',
    usual: '5000',
    documentation: 'How often members are to be heard of.',
    value: ({ groupConsumerHeartbeatIntervalMs }) => groupConsumerHeartbeatIntervalMs,
    bounds: ({ groupConsumerHeartbeatIntervalMsMin: min, groupConsumerHeartbeatIntervalMsMax }) => {
      return [min, groupConsumerHeartbeatIntervalMsMax]
    },
  },
  {
    name: 'consumer.session.timeout.ms',
    brokerName: 'group.consumer.session.timeout.ms',
    usual: '45000',
    documentation: 'Silence after which a member counts as gone.',
    value: ({ groupConsumerSessionTimeoutMs }) => groupConsumerSessionTimeoutMs,
    bounds: ({ groupConsumerSessionTimeoutMsMin: min, groupConsumerSessionTimeoutMsMax }) => {
      return [min, groupConsumerSessionTimeoutMsMax]
    },
  },
]

/** What the broker was told of such a setting while it runs. */
type ToldBroker = Pick<BrokerSettings, 'valuesOf'>

/** Settings that groups of the consumer protocol were given of their own. */
export class GroupConfigs {
  readonly #state: ServerState
  readonly #options: GroupServingOptions
  readonly #broker: ToldBroker
  #stored: Stored

  private constructor(
    state: ServerState,
    [options, broker]: readonly [GroupServingOptions, ToldBroker],
    stored: Stored,
  ) {
    this.#state = state
    this.#options = options
    this.#broker = broker
    this.#stored = stored
  }

  /** Throws CorruptServerStateError. */
  static load(state: ServerState, options: GroupServingOptions, broker: ToldBroker): GroupConfigs {
    const found = state.section(sectionName) ?? {}
    if (isStored(found)) return new GroupConfigs(state, [options, broker], found)
    throw state.damaged(sectionName, 'it does not hold settings of groups')
  }

  /** The groups that were given something. */
  get groups(): readonly string[] {
    return Object.keys(this.#stored)
  }

  /** How a group is led: by its own within bounds that may be others by now, or the broker's. */
  settingsOf(group: string): ConsumerGroupSettings {
    const own = this.#own(group)
    const [assignmentIntervalMs = 0, heartbeatIntervalMs = 0, sessionTimeoutMs = 0] =
      groupConfigs.map((config) => {
        const [min, max] = config.bounds(this.#options)
        const text = own[config.name]
        if (text === undefined) return this.#brokerValue(config)
        return Math.min(max, Math.max(min, Number(text)))
      })
    const { groupConsumerSizeMax: membersMax, groupSizeMax: classicMembersMax } = this.#options
    const { groupConsumerMigrationPolicy: migrationPolicy } = this.#options
    return {
      ...{ sessionTimeoutMs, heartbeatIntervalMs, assignmentIntervalMs },
      ...{ membersMax, migrationPolicy, classicMembersMax },
    }
  }

  entries(group: string): readonly ConfigEntry[] {
    const own = this.#own(group)
    return groupConfigs.map((config): ConfigEntry => {
      const { name, brokerName, usual, documentation } = config
      const text = own[name]
      const started = String(config.value(this.#options))
      const { group: ownSource, started: startedSource, default: source } = configSources
      const synonyms = [
        ...(text === undefined ? [] : [{ name, value: text, source: ownSource }]),
        ...this.#broker.valuesOf(brokerName),
        ...(started === usual ? [] : [{ name: brokerName, value: started, source: startedSource }]),
        { name: brokerName, value: usual, source },
      ]
      const [first = { value: usual, source }] = synonyms
      const kind = { type: 'int', isReadOnly: false, documentation, synonyms } as const
      return { name, value: first.value, source: first.source, ...kind }
    })
  }

  /** Rejects with RequestRefusedError; then nothing has changed. */
  async alter(
    group: string,
    operations: readonly ConfigOperation[],
    {
      isReplacement,
      validateOnly,
    }: { readonly isReplacement: boolean; readonly validateOnly: boolean },
  ): Promise<void> {
    if (group === '') throw new RequestRefusedError('INVALID_REQUEST', 'a group has a name')
    const change = (): Stored => this.#changed(group, operations, isReplacement)
    if (validateOnly) change()
    else this.#stored = await this.#state.update(sectionName, change)
  }

  /** What holds for groups that were given nothing. */
  #brokerValue(config: GroupConfig): number {
    const [told] = this.#broker.valuesOf(config.brokerName)
    return told === undefined ? config.value(this.#options) : Number(told.value)
  }

  #own(group: string): Texts {
    return Object.hasOwn(this.#stored, group) ? (this.#stored[group] ?? {}) : {}
  }

  #changed(group: string, operations: readonly ConfigOperation[], isReplacement: boolean): Stored {
    const texts: Record<string, string> = isReplacement ? {} : { ...this.#own(group) }
    for (const operation of operations) {
      const { name } = operation
      if (!groupConfigs.some((config) => config.name === name)) {
        if (operation.operation === 'delete') continue
        throw new RequestRefusedError('INVALID_CONFIG', `unknown group config name: ${name}`)
      }
      const text = changedText({ type: 'int' }, operation, texts[name] ?? '')
      if (text === null) delete texts[name]
      else texts[name] = String(Number(text))
    }
    this.#check(texts)
    const { [group]: _, ...others } = this.#stored
    if (Object.keys(texts).length === 0) return others
    if (Object.keys(others).length >= groupsMax) {
      const rule = `no more than ${groupsMax} groups have settings of their own`
      throw new RequestRefusedError('POLICY_VIOLATION', rule)
    }
    return { ...others, [group]: texts }
  }

  #check(texts: Texts): void {
    const values = groupConfigs.map((config) => {
      const { name } = config
      const [min, max] = config.bounds(this.#options)
      const value = Number(texts[name] ?? this.#brokerValue(config))
      if (texts[name] !== undefined && (value < min || value > max)) {
        throw invalidConfig(name, texts[name], `it is between ${min} and ${max}`)
      }
      return value
    })
    const [, heartbeat = 0, session = 0] = values
    if (heartbeat < session) return
    const rule = `it is below consumer.session.timeout.ms, ${session}`
    throw invalidConfig('consumer.heartbeat.interval.ms', String(heartbeat), rule)
  }
}

function isStored(found: unknown): found is Stored {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return false
  return Object.values(found).every((texts: unknown) => {
    if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) return false
    return Object.entries(texts).every(([name, text]) => {
      return groupConfigs.some((config) => config.name === name) && /^\d{1,10}$/.test(String(text))
    })
  })
}
