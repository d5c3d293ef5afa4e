import type { Log } from '@varve/log'
import type { LogRecord, Offset, RecordInput } from '@varve/record'
import { CorruptGroupRecordError } from '../groups/group-errors.ts'
import { CorruptQueueStateError } from './queue-errors.ts'
import {
  type DeliveryRun,
  decodeBucket,
  decodeQueueStateKey,
  decodeStart,
  encodeBucket,
  encodeQueueStateKey,
  encodeStart,
} from './queue-state-schema.ts'

/** What is known of one partition of a queue. */
export interface QueuePartitionState {
  /** Everything below it is finished; null where the queue is new. */
  readonly startOffset: Offset | null
  readonly buckets: ReadonlyMap<number, readonly DeliveryRun[]>
}

/** What of a partition's state has changed. */
export interface QueueStateChange {
  /** Where it is to be noted. */
  readonly startOffset: Offset | null
  /** All that is to be known of each; null for a bucket below the start, which is forgotten. */
  readonly buckets: ReadonlyMap<number, readonly DeliveryRun[] | null>
}

/** The part of the state log that is about one topic. */
export interface QueueState {
  /** What was found of a partition. Asked for once: it is the queue's to know from then on. */
  take(queue: string, partition: number): QueuePartitionState
  save(
    queue: string,
    partition: number,
    change: QueueStateChange,
    acks: 'written' | 'flushed',
  ): Promise<void>
}

/** A partition of a topic as a queue's. */
export interface QueuePlace {
  readonly queue: string
  readonly topicId: string
  readonly partition: number
}

interface LoadingState {
  readonly place: QueuePlace
  startOffset: Offset | null
  readonly buckets: Map<number, readonly DeliveryRun[]>
  /** Newest records that cannot be read, by bucket; null for that of the start. */
  readonly damage: Map<number | null, { readonly offset: Offset; readonly error: unknown }>
}

const tombstonesPerBatch = 1000

/**
 * The compacted log in which the state of deliveries of all queues is kept. A change is one batch:
 * after a crash there is all of it or nothing.
 */
export class QueueStateLog {
  readonly #log: Log
  readonly #loaded = new Map<string, LoadingState>()

  private constructor(log: Log) {
    this.#log = log
  }

  /**
   * Reads what is known. A record that cannot be read is held against its queue (`damageOf`); where
   * its key does not say whose it is, it was not written here, and `onForeign` is told.
   */
  static async load(
    log: Log,
    onForeign: (error: unknown, offset: Offset) => void = () => undefined,
  ): Promise<QueueStateLog> {
    const state = new QueueStateLog(log)
    for await (const record of log.reader({ from: log.logStartOffset }).records()) {
      try {
        state.#replay(record)
      } catch (error) {
        if (!(error instanceof CorruptGroupRecordError)) throw error
        onForeign(error, record.offset)
      }
    }
    return state
  }

  /** Of what something was found and not taken yet. */
  get places(): readonly QueuePlace[] {
    return [...this.#loaded.values()].map(({ place }) => place)
  }

  /** What concerns a topic: one that is made later under its name has another id. */
  of(topicId: string): QueueState {
    return {
      take: (queue, partition) => this.#take({ queue, topicId, partition }),
      save: (queue, partition, change, acks) => {
        return this.#save({ queue, topicId, partition }, change, acks)
      },
    }
  }

  /** What keeps a queue from going on where it was; null when all of it can be read. */
  damageOf(queue: string, topicId: string): CorruptQueueStateError | null {
    for (const { place, damage } of this.#loaded.values()) {
      if (place.queue !== queue || place.topicId !== topicId) continue
      for (const { offset, error } of damage.values()) {
        return new CorruptQueueStateError(queue, place.partition, offset, error)
      }
    }
    return null
  }

  /**
   * Goes on without what cannot be read of a queue, durably: nothing of it counts as finished. A
   * start that is not known is the log's own.
   */
  async forgetDamage(queue: string, topicId: string): Promise<void> {
    for (const state of this.#loaded.values()) {
      const { place, damage } = state
      if (place.queue !== queue || place.topicId !== topicId || damage.size === 0) continue
      const records = [...damage.keys()].map((bucket) => ({
        key: encodeQueueStateKey({ ...place, bucket }),
        value: bucket === null ? encodeStart(0) : null,
      }))
      await this.#log.append(records, { acks: 'flushed' })
      if (damage.has(null)) state.startOffset = 0
      damage.clear()
    }
  }

  /** Forgets, with tombstones, what was found of topics that are not there any more. */
  async keepOnly(topicIds: ReadonlySet<string>): Promise<void> {
    const records: RecordInput[] = []
    for (const [name, { place, startOffset, buckets, damage }] of this.#loaded) {
      if (topicIds.has(place.topicId)) continue
      this.#loaded.delete(name)
      const found = new Set([...buckets.keys(), ...damage.keys()])
      if (startOffset !== null) found.add(null)
      for (const bucket of found) {
        records.push({ key: encodeQueueStateKey({ ...place, bucket }), value: null })
      }
    }
    for (let first = 0; first < records.length; first += tombstonesPerBatch) {
      await this.#log.append(records.slice(first, first + tombstonesPerBatch))
    }
  }

  #take(place: QueuePlace): QueuePartitionState {
    const name = nameOf(place)
    const state = this.#loaded.get(name) ?? { startOffset: null, buckets: new Map() }
    this.#loaded.delete(name)
    return state
  }

  async #save(
    place: QueuePlace,
    change: QueueStateChange,
    acks: 'written' | 'flushed',
  ): Promise<void> {
    const { startOffset, buckets } = change
    const records: RecordInput[] = []
    if (startOffset !== null) {
      const key = encodeQueueStateKey({ ...place, bucket: null })
      records.push({ key, value: encodeStart(startOffset) })
    }
    for (const [bucket, runs] of buckets) {
      const key = encodeQueueStateKey({ ...place, bucket })
      records.push({ key, value: runs === null ? null : encodeBucket(bucket, runs) })
    }
    if (records.length > 0) await this.#log.append(records, { acks })
  }

  #replay({ key, value, offset }: LogRecord): void {
    if (key === null) return
    const { bucket, ...place } = decodeQueueStateKey(key)
    const name = nameOf(place)
    let state = this.#loaded.get(name)
    if (state === undefined) {
      state = { place, startOffset: null, buckets: new Map(), damage: new Map() }
      this.#loaded.set(name, state)
    }
    state.damage.delete(bucket)
    try {
      noteIn(state, bucket, value)
    } catch (error) {
      if (!(error instanceof CorruptGroupRecordError)) throw error
      noteIn(state, bucket, null)
      state.damage.set(bucket, { offset, error })
    }
  }
}

function noteIn(state: LoadingState, bucket: number | null, value: Buffer | null): void {
  if (bucket === null) state.startOffset = value === null ? null : decodeStart(value)
  else if (value === null) state.buckets.delete(bucket)
  else state.buckets.set(bucket, decodeBucket(bucket, value))
}

function nameOf({ queue, topicId, partition }: QueuePlace): string {
  return `${partition} ${topicId} ${queue}`
}
