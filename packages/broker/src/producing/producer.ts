import { InvalidArgumentError, type RecordInput } from '@varve/record'
import { Dispatcher } from './dispatcher.ts'
import type { IdentitySource } from './producer-identity.ts'
import { type ProducerOptions, resolveSendingOptions } from './producer-options.ts'
import { RecordSerializer } from './record-serializer.ts'
import type { ProducingContext, TargetTopic } from './sending-home.ts'
import type { ProducerRecord, SentBatch, SentRecord } from './sent.ts'
import { withSourceOffset } from './source-offsets.ts'

/** What can be sent without a serializer. */
export type Sendable = Uint8Array | string

/** Where a record goes, and where it was taken from. */
export interface SendOptions {
  /** Send to this partition. @defaultValue the partitioner chooses */
  readonly partition?: number
  /**
   * Where in the caller's own source the record was taken from: a number that rises from record to
   * record (a line, a position, a sequence number; gaps are allowed). It makes sending idempotent
   * over restarts of the program: what is sent again with a source offset that is not above the
   * last one sent to the same partition is acknowledged as a duplicate, with offset -1, and not
   * appended.
   *
   * It protects from this: the program dies after a record was appended and before it noted so,
   * starts again, and sends the record a second time. It needs a producer with a `name`, and the
   * same partition every time: a key or `partition`, and a number of partitions that stays. The
   * source offset is kept in a header, `varve-source-offset`, so what protects is the newest such
   * record of this producer that the log still holds: a log of which retention has removed
   * everything remembers nothing.
   */
  readonly sourceOffset?: number
}

interface SourceProgress {
  readonly topic: TargetTopic
  last: number
  /** The send of the last one. */
  sending: Promise<unknown>
}

/**
 * Sends records to topics. Made by `varve.producer()`.
 *
 * Sends of one producer to one partition are appended in the order of the calls. A send resolves
 * when its record has reached the level of `acks`; records sent meanwhile share batches, so await
 * many sends together rather than one after the other where speed matters.
 *
 * @example
 * ```ts
 * const producer = varve.producer({ compression: 'lz4' })
 * const { partition, offset } = await producer.send('orders', { key: 'o-17', value: 'paid' })
 * await producer.send('orders', [{ value: 'a' }, { value: 'b' }], { partition: 0 }) // both or none
 * await producer.close()
 * ```
 */
export class Producer<Key = Sendable, Value = Sendable> implements AsyncDisposable {
  readonly #dispatcher: Dispatcher
  readonly #context: ProducingContext
  readonly #serializer: RecordSerializer<Key, Value>
  readonly #name: string | null
  readonly #progress = new Map<string, Promise<SourceProgress>>()
  readonly #onClosed: () => void

  /** @internal Producers are made by `varve.producer()`. */
  constructor(
    context: ProducingContext,
    options: ProducerOptions<Key, Value>,
    identities: IdentitySource | null,
    onClosed: () => void,
  ) {
    this.#context = context
    this.#serializer = new RecordSerializer(
      context.clock,
      options.keySerializer,
      options.valueSerializer,
    )
    this.#name = options.name ?? null
    this.#onClosed = onClosed
    this.#dispatcher = new Dispatcher(context, {
      sending: resolveSendingOptions(options),
      identities,
      isTransactional: false,
      admit: () => null,
      failed: () => undefined,
    })
  }

  /**
   * Sends one record.
   *
   * Rejects with TopicNotFoundError, InvalidArgumentError, BatchTooLargeError,
   * InvalidTimestampError, ProducerFencedError, ClosedError, and with LogOfflineError when storage
   * has failed: then it is not known whether the record survives.
   */
  send(
    topic: string,
    record: ProducerRecord<Key, Value>,
    options?: SendOptions,
  ): Promise<SentRecord>
  /**
   * Sends several records at once. Those that go to the same partition are one batch there: all of
   * them are appended, or none. With `partition` that is all of them. One result for each partition
   * that records went to.
   */
  send(
    topic: string,
    records: ReadonlyArray<ProducerRecord<Key, Value>>,
    options?: SendOptions,
  ): Promise<readonly SentBatch[]>
  send(
    topic: string,
    records: ProducerRecord<Key, Value> | ReadonlyArray<ProducerRecord<Key, Value>>,
    options?: SendOptions,
  ): Promise<SentRecord | readonly SentBatch[]> {
    const partition = options?.partition
    try {
      // Who knows other clients hands in one object with a topic in it.
      if (typeof topic !== 'string') {
        throw new InvalidArgumentError('topic', topic, 'must be a name: send(topic, record)')
      }
      if (options?.sourceOffset !== undefined) return this.#sendOnce(topic, records, options)
      if (isList(records)) {
        const serialized = this.#serializer.all(topic, records)
        return this.#dispatcher.sendAll(topic, serialized, partition)
      }
      return this.#dispatcher.send(topic, this.#serializer.one(topic, records), partition)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The last source offset that a producer of this name has sent to a partition; -1 none. Where to
   * go on after a restart.
   */
  async lastSourceOffset(topic: string, partition: number): Promise<number> {
    this.#assertNamed()
    return (await this.#progressOf(topic, partition)).last
  }

  /**
   * Gets the producer its identity now, instead of at the first send: for a named producer, it is
   * from here on that older ones are fenced.
   */
  async start(): Promise<void> {
    await this.#dispatcher.prepare()
  }

  /** Sends what lingers, and resolves when everything sent so far has arrived or been refused. */
  async flush(): Promise<void> {
    await this.#dispatcher.flush()
  }

  /** Flushes; later sends are refused with ClosedError. Idempotent. */
  async close(): Promise<void> {
    await this.#dispatcher.close()
    this.#onClosed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #sendOnce(
    topic: string,
    records: ProducerRecord<Key, Value> | ReadonlyArray<ProducerRecord<Key, Value>>,
    { sourceOffset = -1, partition: given }: SendOptions,
  ): Promise<SentRecord | readonly SentBatch[]> {
    this.#assertNamed()
    if (!Number.isSafeInteger(sourceOffset) || sourceOffset < 0) {
      throw new InvalidArgumentError(
        'sourceOffset',
        sourceOffset,
        'must be an integer of 0 or more',
      )
    }
    const list = isList(records)
    const serialized = this.#serializer.all(topic, list ? records : [records])
    const partition = given ?? (await this.#onlyPartition(topic, serialized))
    const progress = await this.#progressOf(topic, partition)
    if (sourceOffset <= progress.last) {
      await progress.sending
      return duplicateOf(topic, partition, list)
    }
    progress.last = sourceOffset
    const marked = serialized.map((record, index) => {
      return index === serialized.length - 1 ? withSourceOffset(record, sourceOffset) : record
    })
    try {
      const sending = this.#dispatcher.sendAll(topic, marked, partition)
      progress.sending = sending
      const sent = await sending
      const [{ baseOffset: offset, isDuplicate } = { baseOffset: -1, isDuplicate: true }] = sent
      return list ? sent : { topic, partition, offset, isDuplicate }
    } catch (error) {
      // What the log has now decides over the next one.
      this.#progress.delete(`${topic}-${partition}`)
      throw error
    }
  }

  async #onlyPartition(topic: string, records: readonly RecordInput[]): Promise<number> {
    const found = await this.#dispatcher.find(topic)
    const partitions = records.map(({ key }) => this.#dispatcher.partitionOf(found, key))
    const [partition = null] = partitions
    if (partition !== null && partitions.every((other) => other === partition)) return partition
    const rule = 'records with a sourceOffset need one partition: give it, or the same key'
    throw new InvalidArgumentError('partition', undefined, rule)
  }

  async #progressOf(topic: string, partition: number): Promise<SourceProgress> {
    const name = `${topic}-${partition}`
    const known = this.#progress.get(name)
    if (known !== undefined && !(await known).topic.isDeleted) return known
    const asked = this.#askLog(topic, partition)
    this.#progress.set(name, asked)
    asked.catch(() => this.#progress.delete(name))
    return asked
  }

  async #askLog(topic: string, partition: number): Promise<SourceProgress> {
    await this.#dispatcher.prepare()
    await this.#dispatcher.flush()
    const found = await this.#dispatcher.find(topic)
    found.partition(partition)
    const { identity } = this.#dispatcher
    const last = await this.#context.lastSourceOffset({ topic, partition }, identity)
    return { topic: found, last, sending: Promise.resolve() }
  }

  #assertNamed(): void {
    if (this.#name !== null) return
    throw new InvalidArgumentError('sourceOffset', undefined, 'needs a producer with a name')
  }
}

function isList<Record>(records: Record | readonly Record[]): records is readonly Record[] {
  return Array.isArray(records)
}

function duplicateOf(
  topic: string,
  partition: number,
  isBatch: boolean,
): SentRecord | readonly SentBatch[] {
  const none = { topic, partition, isDuplicate: true }
  return isBatch ? [{ ...none, baseOffset: -1, lastOffset: -1 }] : { ...none, offset: -1 }
}
