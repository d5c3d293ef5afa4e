import type { Clock, Timer } from '@varve/log'
import { InvalidArgumentError } from '@varve/record'
import { ClosedError, TopicExistsError } from '../base/broker-errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Topic } from '../topics/topic.ts'
import type { Topics } from '../topics/topics.ts'
import { LogEffectLedger, type LogEffectLedgerOptions } from './log-effect-ledger.ts'

export type NamedLedgerOptions = Pick<LogEffectLedgerOptions, 'retentionMs'>

export interface EffectLedgersOptions {
  readonly topics: Topics
  readonly clock: Clock
  readonly logger: Logger
}

/** After its name: the topic in which a ledger is kept. */
export const effectsTopicSuffix = '.effects'
const expiryIntervalMs = 3_600_000

/** The ledgers of a data directory, each read when it is first asked for. */
export class EffectLedgers {
  readonly #options: EffectLedgersOptions
  readonly #ledgers = new Map<string, Promise<LogEffectLedger>>()
  readonly #unwatch: () => void
  #timer: Timer | null = null
  #isClosed = false

  constructor(options: EffectLedgersOptions) {
    this.#options = options
    this.#unwatch = options.topics.watch(({ name }, event) => {
      if (event === 'deleted') this.#ledgers.delete(name)
    })
    this.#schedule()
  }

  /**
   * A ledger: everybody who asks for it has the same one, with the options of the first. Its topic
   * is made where it is not there. Rejects with InvalidArgumentError, InvalidTopicError.
   */
  ledger(name: string, options: NamedLedgerOptions = {}): Promise<LogEffectLedger> {
    if (this.#isClosed) return Promise.reject(new ClosedError('the data directory'))
    if (typeof name !== 'string' || name === '') {
      const rule = 'the name of a ledger is a non-empty string'
      return Promise.reject(new InvalidArgumentError('name', name, rule))
    }
    const topicName = `${name}${effectsTopicSuffix}`
    const known = this.#ledgers.get(topicName)
    if (known !== undefined) return known
    const loading = this.#load(topicName, options)
    this.#ledgers.set(topicName, loading)
    // Asked again, it is tried again.
    loading.catch(() => this.#ledgers.delete(topicName))
    return loading
  }

  /** A log has been opened again: what was under way may have arrived or not. */
  async reopened(topicName: string): Promise<void> {
    const ledger = await this.#ledgers.get(topicName)?.catch(() => null)
    const topic = this.#options.topics.find(topicName)
    if (ledger && topic !== null) await ledger.reload(topic.partition(0).log)
  }

  close(): void {
    this.#isClosed = true
    this.#unwatch()
    this.#timer?.cancel()
  }

  async #load(topicName: string, options: NamedLedgerOptions): Promise<LogEffectLedger> {
    const { retentionMs } = options
    if (retentionMs !== undefined && !(retentionMs > 0)) {
      throw new InvalidArgumentError('retentionMs', retentionMs, 'must be a positive number')
    }
    const topic = await this.#topic(topicName)
    const { cleanupPolicy } = topic.settings
    if (cleanupPolicy.length !== 1 || cleanupPolicy[0] !== 'compact') {
      const rule = `topic ${topicName} must only be compacted, or retention forgets effects`
      throw new InvalidArgumentError('cleanupPolicy', cleanupPolicy, rule)
    }
    const ledger = await LogEffectLedger.load(topic.partition(0).log, {
      clock: this.#options.clock,
      ...options,
    })
    await ledger.expire()
    return ledger
  }

  async #topic(name: string): Promise<Topic> {
    const { topics } = this.#options
    const found = topics.find(name)
    if (found !== null) return found
    return topics.create(name, 1, { cleanupPolicy: 'compact' }).catch((error: unknown) => {
      // Somebody was faster.
      if (error instanceof TopicExistsError) return topics.topic(name)
      throw error
    })
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimer(expiryIntervalMs, () => {
      for (const loading of this.#ledgers.values()) this.#expire(loading)
      if (!this.#isClosed) this.#schedule()
    })
  }

  #expire(loading: Promise<LogEffectLedger>): void {
    loading
      .then((ledger) => ledger.expire())
      .catch((error: unknown) => {
        if (this.#isClosed) return
        this.#options.logger.error({ err: error }, 'effects whose time is over were not forgotten')
      })
  }
}
