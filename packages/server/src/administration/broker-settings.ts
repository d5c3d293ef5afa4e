import type { TopicSettings } from '@varve/broker'
import type { Topics } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { RequestRefusedError } from '../base/server-errors.ts'
import type { ServerState } from '../base/server-state.ts'
import { groupBrokerConfigs, inheritedConfigs, throttleConfigs } from './broker-config-table.ts'
import { type ConfigValue, configSources } from './config-entry.ts'
import { type ConfigOperation, changedText, settingValue } from './topic-changes.ts'

/** For one broker, or for all that a cluster would have. */
export type BrokerScope = 'broker' | 'allBrokers'

type Texts = Readonly<Record<string, string>>
type Stored = Readonly<Record<BrokerScope, Texts>>

const nothing: Stored = { broker: {}, allBrokers: {} }
const sectionName = 'brokerSettings'

/**
 * Settings of the broker that clients have changed while it ran. Those that hold for topics without
 * settings of their own go before what the data directory was opened with, as long as it is served.
 */
export class BrokerSettings {
  readonly #state: ServerState
  readonly #topics: Topics
  /** What the data directory was opened with. */
  readonly #started: TopicSettings

  private constructor(state: ServerState, topics: Topics) {
    this.#state = state
    this.#topics = topics
    this.#started = topics.settings.defaults
  }

  /**
   * Those that are stored, and in force from now on. What does not go together with a topic any
   * more is told to `warn`, and is not in force. Rejects with CorruptServerStateError.
   */
  static async load(
    state: ServerState,
    topics: Topics,
    warn: (error: Error) => void,
  ): Promise<BrokerSettings> {
    const settings = new BrokerSettings(state, topics)
    const stored = settings.#stored
    if (Object.keys(stored.broker).length + Object.keys(stored.allBrokers).length === 0) {
      return settings
    }
    try {
      await topics.alterDefaults(settings.#defaultsBy(stored))
    } catch (error) {
      if (!(error instanceof InvalidArgumentError || error instanceof RequestRefusedError)) {
        throw error
      }
      warn(error)
    }
    return settings
  }

  /** They are in force no longer: the data directory goes on without the server. */
  async end(): Promise<void> {
    if (this.#topics.settings.defaults !== this.#started)
      await this.#topics.alterDefaults(this.#started)
  }

  /** What topics have that were given nothing, by what the data directory was opened with. */
  get started(): TopicSettings {
    return this.#started
  }

  /** What was set of a setting, the one that holds first. */
  valuesOf(name: string): readonly ConfigValue[] {
    const { broker, allBrokers } = this.#stored
    const values: ConfigValue[] = []
    if (Object.hasOwn(broker, name)) {
      values.push({ name, value: broker[name] ?? null, source: configSources.broker })
    }
    if (Object.hasOwn(allBrokers, name)) {
      values.push({ name, value: allBrokers[name] ?? null, source: configSources.allBrokers })
    }
    return values
  }

  /** The names of those that were set. */
  names(scope: BrokerScope): readonly string[] {
    return Object.keys(this.#stored[scope])
  }

  /** Rejects with RequestRefusedError, InvalidArgumentError: then nothing has changed. */
  async alter(
    scope: BrokerScope,
    operations: readonly ConfigOperation[],
    how: { readonly isReplacement: boolean; readonly validateOnly: boolean },
  ): Promise<void> {
    const change = (): Stored => this.#changed(scope, operations, how.isReplacement)
    if (how.validateOnly) {
      this.#topics.settings.checkDefaults(this.#defaultsBy(change()))
      return
    }
    await this.#state.update(sectionName, () => {
      const stored = change()
      this.#topics.settings.checkDefaults(this.#defaultsBy(stored))
      return stored
    })
    await this.#topics.alterDefaults(this.#defaultsBy(this.#stored))
  }

  get #stored(): Stored {
    const found = this.#state.section(sectionName)
    if (found === undefined) return nothing
    const { broker, allBrokers } = Object(found) as Partial<Stored>
    if (!isTexts(broker) || !isTexts(allBrokers)) {
      throw this.#state.damaged(sectionName, 'it does not hold texts')
    }
    return { broker, allBrokers }
  }

  #changed(
    scope: BrokerScope,
    operations: readonly ConfigOperation[],
    isReplacement: boolean,
  ): Stored {
    const stored = this.#stored
    const texts: Record<string, string> = isReplacement ? {} : { ...stored[scope] }
    for (const operation of operations) {
      const { name } = operation
      const config = inheritedConfigs.get(name) ?? groupBrokerConfigs.get(name)
      if (config === undefined && !throttleConfigs.has(name)) {
        if (operation.operation === 'delete') continue
        const rule = `cannot update these configs dynamically: ${name}`
        throw new RequestRefusedError('INVALID_REQUEST', rule)
      }
      const kind = config ?? { name, type: 'long' as const }
      const text = changedText(kind, operation, texts[name] ?? '')
      if (text === null) delete texts[name]
      else texts[name] = text
    }
    return { ...stored, [scope]: texts }
  }

  /** Defaults of topics. Throws RequestRefusedError. */
  #defaultsBy({ broker, allBrokers }: Stored): TopicSettings {
    const defaults: Record<string, unknown> = { ...this.#started }
    for (const [name, text] of [...Object.entries(allBrokers), ...Object.entries(broker)]) {
      const config = inheritedConfigs.get(name)
      if (config === undefined || config.setting === null) continue
      defaults[config.setting] = settingValue(config, name, text)
    }
    return defaults
  }
}

function isTexts(value: unknown): value is Texts {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((text) => typeof text === 'string')
}
