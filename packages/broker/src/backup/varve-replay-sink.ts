import {
  type GroupOffset,
  type PreparedTopic,
  type ReplayBatch,
  type ReplayPosition,
  ReplayRefusedError,
  type ReplaySink,
  type ReplayTopic,
} from '@varve/backup'
import type { Offset } from '@varve/record'
import { TopicNotFoundError } from '../base/broker-errors.ts'
import type { TopicDescription } from '../base/topic-description.ts'
import type { TopicSettings } from '../base/topic-settings.ts'
import { clusterSettings } from '../cluster/cluster-settings.ts'
import { ClusterVarve } from '../cluster-varve.ts'
import { GroupNotFoundError } from '../groups/group-errors.ts'
import type { TransactionalProducer } from '../transactions/transactional-producer.ts'
import type { Varve } from '../varve.ts'

export interface VarveReplaySinkOptions {
  /** For people. */
  readonly name: string
  /** Settings of the topics that are made, by the source's names. @defaultValue Kafka's defaults */
  readonly settings?: ReadonlyMap<string, TopicSettings>
  /**
   * Whether topics that are made keep everything until somebody sets their retention: records of
   * long ago are otherwise deleted as soon as they are there.
   * @defaultValue true
   */
  readonly holdsRetention?: boolean
}

/** How long a transaction may take that waits for a slow source. */
const transactionTimeoutMs = 10 * 60_000

/**
 * Topics, of a data directory or of a cluster, as the target of a replay. How far it has come is
 * what a group of the replay's name has committed, in the transaction of the records themselves.
 */
export class VarveReplaySink implements ReplaySink, AsyncDisposable {
  readonly name: string
  readonly #varve: Varve
  readonly #settings: ReadonlyMap<string, TopicSettings>
  readonly #holdsRetention: boolean
  #replay = ''
  #producer: TransactionalProducer | null = null

  constructor(varve: Varve, options: VarveReplaySinkOptions) {
    this.#varve = varve
    this.name = options.name
    this.#settings = options.settings ?? new Map()
    this.#holdsRetention = options.holdsRetention ?? true
  }

  async prepareTopic({ name, partitions, sourceName }: ReplayTopic): Promise<PreparedTopic> {
    const found = await this.#find(name)
    const topic = found ?? (await this.#make(name, partitions, sourceName))
    const { maxMessageBytes, segmentBytes, messageTimestampType } = topic.settings
    const has = topic.partitions.length
    if (has < partitions) {
      throw new ReplayRefusedError(
        `${name} has ${has} partitions, and ${partitions} are needed`,
        'add some, or replay to another name (--rename)',
      )
    }
    if (messageTimestampType === 'LogAppendTime') {
      throw new ReplayRefusedError(
        `${name} gives records the time at which they are appended`,
        'set messageTimestampType to CreateTime, or replay to another name (--rename)',
      )
    }
    return { isMade: found === null, batchBytesMax: Math.min(maxMessageBytes, segmentBytes) }
  }

  async start(replay: string): Promise<readonly ReplayPosition[]> {
    this.#replay = replay
    this.#producer = this.#varve.producer({ transactionalId: replay, transactionTimeoutMs })
    await this.#producer.start()
    const groups = await this.#varve.groups()
    try {
      const { offsets } = await groups.describe(replay)
      return offsets.map(({ metadata = '', ...offset }) => ({ ...offset, metadata }))
    } catch (error) {
      if (error instanceof GroupNotFoundError) return []
      throw error
    }
  }

  async write(
    batches: readonly ReplayBatch[],
    positions: readonly ReplayPosition[],
    placed: (baseOffsets: readonly Offset[]) => Promise<void>,
  ): Promise<void> {
    await this.#started.transaction(async (transaction) => {
      const sending = batches.map(({ topic, partition, records }) => {
        return transaction.send(topic, records, { partition })
      })
      const sent = await Promise.all(sending)
      await transaction.sendOffsets(this.#replay, positions)
      await placed(sent.map(([batch]) => batch?.baseOffset ?? -1))
    })
  }

  async endOffset(topic: string, partition: number): Promise<Offset> {
    const { partitions } = await this.#varve.describeTopic(topic)
    return partitions.find((other) => other.partition === partition)?.highWatermark ?? 0
  }

  async commitOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void> {
    const groups = await this.#varve.groups()
    await groups.resetOffsets(group, offsets)
  }

  async close(): Promise<void> {
    await this.#producer?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #started(): TransactionalProducer {
    if (this.#producer !== null) return this.#producer
    throw new ReplayRefusedError('it has not been started', 'start it first')
  }

  #make(name: string, partitions: number, sourceName: string): Promise<TopicDescription> {
    const held = this.#holdsRetention ? { retentionMs: -1, retentionBytes: -1 } : {}
    const given = this.#settings.get(sourceName) ?? {}
    const settings = this.#varve instanceof ClusterVarve ? clusterSettings(given) : given
    // Records keep the times that they have, whoever gave them.
    const times = { messageTimestampType: 'CreateTime' as const }
    return this.#varve.createTopic(name, { ...settings, ...held, ...times, partitions })
  }

  async #find(topic: string): Promise<TopicDescription | null> {
    try {
      return await this.#varve.describeTopic(topic)
    } catch (error) {
      if (error instanceof TopicNotFoundError) return null
      throw error
    }
  }
}
