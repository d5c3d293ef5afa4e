import { InvalidArgumentError } from '@varve/record'
import { TopicExistsError, TopicNotFoundError } from '../base/broker-errors.ts'
import type { BatchSource } from '../consuming/readable-partition.ts'
import type { NamedLedgerOptions } from '../handling/effect-ledgers.ts'
import type { DurableEffectLedger } from '../handling/once-only.ts'
import type { Producer } from '../producing/producer.ts'
import type { Cluster } from './cluster.ts'
import { ClusterFetcher } from './cluster-fetcher.ts'
import { ClusterLog } from './cluster-log.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import type { TopicAdministration } from './topic-administration.ts'

export interface ClusterLedgerContext {
  readonly cluster: Cluster
  readonly topics: ClusterTopics
  readonly administration: TopicAdministration
  readonly producer: () => Producer
}

const weekMs = 7 * 86_400_000
const readBytes = 2 ** 20

/**
 * Remembers effects in a compacted topic of a cluster. Other processes may write there too, and
 * what they have done before a partition came to this one must not be done again: so the topic is
 * read to its end before each effect, by those who ask at the same time together.
 */
export class ClusterEffectLedger implements DurableEffectLedger, AsyncDisposable {
  readonly #context: ClusterLedgerContext
  readonly #topic: string
  readonly #retentionMs: number
  readonly #fetcher: ClusterFetcher
  readonly #reader: BatchSource
  readonly #producer: Producer
  /** When each was done, oldest first. */
  readonly #done = new Map<string, number>()
  #reading: Promise<void> = Promise.resolve()
  /** A reading that has not begun: whoever asks now is served by it. */
  #next: Promise<void> | null = null

  private constructor(
    context: ClusterLedgerContext,
    topic: string,
    { retentionMs = weekMs }: NamedLedgerOptions,
    read: { readonly fetcher: ClusterFetcher; readonly reader: BatchSource },
  ) {
    this.#context = context
    this.#topic = topic
    this.#retentionMs = retentionMs
    this.#fetcher = read.fetcher
    this.#reader = read.reader
    this.#producer = context.producer()
  }

  /** Reads the topic, made where it is not there. */
  static async load(
    context: ClusterLedgerContext,
    topic: string,
    options: NamedLedgerOptions,
  ): Promise<ClusterEffectLedger> {
    const { retentionMs } = options
    if (retentionMs !== undefined && !(retentionMs > 0)) {
      throw new InvalidArgumentError('retentionMs', retentionMs, 'must be a positive number')
    }
    await ensureCompacted(context, topic)
    const { cluster, topics } = context
    const fetcher = new ClusterFetcher(cluster, 'committed')
    const log = new ClusterLog(
      { cluster, topics, fetcher },
      await topics.partition({ topic, partition: 0 }),
    )
    await log.refresh()
    const reader = log.reader({
      ...{ from: log.logStartOffset, isolation: 'committed', follow: false, maxBytes: readBytes },
      signal: new AbortController().signal,
    })
    const ledger = new ClusterEffectLedger(context, topic, options, { fetcher, reader })
    await ledger.#catchUp()
    await ledger.expire()
    return ledger
  }

  get size(): number {
    return this.#done.size
  }

  async run(id: string, effect: () => Promise<void> | void): Promise<boolean> {
    await this.#catchUp()
    if (this.#done.has(id)) return false
    await effect()
    const timestamp = this.#context.cluster.clock.now()
    await this.#producer.send(this.#topic, { key: id, value: '', timestamp }, { partition: 0 })
    this.#note(id, timestamp)
    return true
  }

  async expire(): Promise<number> {
    const now = this.#context.cluster.clock.now()
    const expired: string[] = []
    for (const [id, timestamp] of this.#done) {
      if (now - timestamp < this.#retentionMs) break
      expired.push(id)
    }
    const forgotten = expired.map((id) => {
      return this.#producer.send(this.#topic, { key: id, value: null }, { partition: 0 })
    })
    await Promise.all(forgotten)
    for (const id of expired) this.#done.delete(id)
    return expired.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.close()
    await this.#fetcher.close()
  }

  /** Reads what was there when it was called. */
  #catchUp(): Promise<void> {
    if (this.#next !== null) return this.#next
    const next = this.#reading.then(async () => {
      this.#next = null
      await this.#read()
    })
    this.#next = next
    this.#reading = next.catch(() => undefined)
    return next
  }

  async #read(): Promise<void> {
    for (let batches = await this.#reader.nextBatches(); batches !== null; ) {
      for (const batch of batches) {
        for (const { key, value, timestamp } of batch.records()) {
          if (key === null) continue
          if (value === null) this.#done.delete(key.toString())
          else this.#note(key.toString(), timestamp)
        }
      }
      batches = await this.#reader.nextBatches()
    }
  }

  #note(id: string, timestamp: number): void {
    this.#done.delete(id)
    this.#done.set(id, timestamp)
  }
}

async function ensureCompacted(context: ClusterLedgerContext, name: string): Promise<void> {
  const { topics, administration } = context
  try {
    await topics.topic(name)
  } catch (error) {
    if (!(error instanceof TopicNotFoundError)) throw error
    const made = administration.create(name, 1, -1, { cleanupPolicy: 'compact' })
    await made.catch((failure: unknown) => {
      // Somebody was faster.
      if (!(failure instanceof TopicExistsError)) throw failure
    })
  }
  const { settings } = await topics.topic(name)
  const { cleanupPolicy } = settings
  if (cleanupPolicy.length === 1 && cleanupPolicy[0] === 'compact') return
  const rule = `topic ${name} must only be compacted, or retention forgets effects`
  throw new InvalidArgumentError('cleanupPolicy', cleanupPolicy, rule)
}
