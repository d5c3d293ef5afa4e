import {
  defaultsOf,
  type ResolvedTopicSettings,
  resolveTopicSettings,
  type TopicSettings,
} from '../base/topic-settings.ts'

/** As much of it as others may see. */
export type GivenTopicSettings = Pick<
  TopicSettingsTable,
  'own' | 'defaults' | 'resolve' | 'checkDefaults'
>

/** What topics were given as settings, and what holds where they were given nothing. */
export class TopicSettingsTable {
  readonly #own = new Map<string, TopicSettings>()
  #defaults: TopicSettings

  /** Throws InvalidArgumentError. */
  constructor(defaults: TopicSettings) {
    resolveTopicSettings({}, defaults)
    this.#defaults = defaults
  }

  /** Of all topics. */
  get defaults(): TopicSettings {
    return this.#defaults
  }

  /** What a topic was given itself; nothing where it is not known. */
  own(topic: string): TopicSettings {
    return this.#own.get(topic) ?? {}
  }

  keep(topic: string, own: TopicSettings): void {
    this.#own.set(topic, own)
  }

  forget(topic: string): void {
    this.#own.delete(topic)
  }

  /** With defaults filled in. Throws InvalidArgumentError. */
  resolve(topic: string, own: TopicSettings = this.own(topic)): ResolvedTopicSettings {
    return resolveTopicSettings(own, defaultsOf(topic, this.#defaults))
  }

  /** Throws InvalidArgumentError where defaults do not go together with what a topic was given. */
  checkDefaults(defaults: TopicSettings): void {
    resolveTopicSettings({}, defaults)
    for (const [topic, own] of this.#own) resolveTopicSettings(own, defaultsOf(topic, defaults))
  }

  /** Other defaults. Throws as `checkDefaults`, and then changes nothing. */
  setDefaults(defaults: TopicSettings): void {
    this.checkDefaults(defaults)
    this.#defaults = defaults
  }
}
