import type { Log } from '@varve/log'
import type { Offset } from '@varve/record'
import type { QueueEntry } from './queue-entry.ts'
import type { QueueState } from './queue-state-log.ts'
import { bucketOf, bucketOffsets, type DeliveryRun } from './queue-state-schema.ts'

/** What is to be noted of a partition of a queue. */
export interface NotedWindow {
  /** Below it everything is finished. */
  readonly startOffset: Offset
  /** From here on records have not been looked at: what was found of them stands. */
  readonly endOffset: Offset
  entry(offset: Offset): QueueEntry | undefined
}

/**
 * Keeps the state log up to what is in memory. One batch is written after the other, each with all
 * that has changed until then, so that many who acknowledge at once share a flush.
 */
export class DeliveryNotes {
  readonly #queue: string
  readonly #partition: number
  readonly #log: Log
  readonly #state: QueueState
  readonly #found: ReadonlyMap<number, readonly DeliveryRun[]>
  readonly #savedBuckets: Set<number>
  readonly #dirty = new Set<number>()
  #savedStart: Offset | null
  /** Below it everything is known to be finished, durably. */
  #durableStart: Offset
  /** The highest offset of which something is noted that would be wrong of another record. */
  #highest: Offset = -1
  #acks: 'written' | 'flushed' = 'written'
  #next: Promise<void> | null = null
  #last: Promise<void> = Promise.resolve()

  constructor(log: Log, state: QueueState, queue: string, partition: number) {
    this.#log = log
    this.#state = state
    this.#queue = queue
    this.#partition = partition
    const { startOffset, buckets } = state.take(queue, partition)
    this.#found = buckets
    this.#savedStart = startOffset
    this.#durableStart = startOffset ?? 0
    this.#savedBuckets = new Set(buckets.keys())
  }

  /** Where the queue had come to, at least; null when it is new. */
  get foundStart(): Offset | null {
    return this.#savedStart
  }

  /** Below it everything is finished, and stays so whatever crashes. */
  get durableStart(): Offset {
    return this.#durableStart
  }

  /** What was found of an offset; undefined where nothing is known. */
  foundAt(offset: Offset): DeliveryRun | undefined {
    return this.#found
      .get(bucketOf(offset))
      ?.find(({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset)
  }

  /** Counts a delivery: it survives the death of the process. */
  async noteDelivery(offset: Offset, window: NotedWindow): Promise<void> {
    this.#dirty.add(bucketOf(offset))
    await this.save(window)
  }

  /** Notes durably that a record is finished, or postponed. */
  async note(offset: Offset, window: NotedWindow): Promise<void> {
    this.#highest = Math.max(this.#highest, offset)
    this.#dirty.add(bucketOf(offset))
    this.#acks = 'flushed'
    await this.save(window)
  }

  /** Notes what has changed, and where the window begins where that is worth it. */
  save(window: NotedWindow): Promise<void> {
    if (this.#next === null) {
      this.#next = this.#last.then(() => this.#write(window))
      this.#last = this.#next.catch(() => undefined)
    }
    return this.#next
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#last
  }

  async #write(window: NotedWindow): Promise<void> {
    // What is noted of a record must not outlive it: its offset would be another's.
    while (this.#highest >= this.#log.flushedOffset) await this.#log.flush()
    this.#next = null
    const acks = this.#acks
    this.#acks = 'written'
    const { startOffset } = window
    const startBucket = bucketOf(startOffset)
    const buckets = new Map<number, readonly DeliveryRun[] | null>()
    for (const bucket of this.#dirty) {
      if (bucket < startBucket) continue
      buckets.set(bucket, this.#runsOf(bucket, window))
      this.#savedBuckets.add(bucket)
    }
    this.#dirty.clear()
    const isStartDue = this.#savedStart === null || bucketOf(this.#savedStart) < startBucket
    if (isStartDue) {
      this.#savedStart = startOffset
      for (const bucket of this.#savedBuckets) {
        if (bucket >= startBucket) continue
        buckets.set(bucket, null)
        this.#savedBuckets.delete(bucket)
      }
    }
    const change = { startOffset: isStartDue ? startOffset : null, buckets }
    await this.#state.save(this.#queue, this.#partition, change, acks)
    // What was written before is flushed with it.
    if (acks === 'flushed') this.#durableStart = startOffset
  }

  #runsOf(bucket: number, window: NotedWindow): DeliveryRun[] {
    const firstOffset = bucket * bucketOffsets
    const afterLast = firstOffset + bucketOffsets
    const runs: DeliveryRun[] = []
    const startInside = Math.min(Math.max(window.startOffset, firstOffset), afterLast)
    if (startInside > firstOffset) {
      const lastOffset = startInside - 1
      runs.push({ firstOffset, lastOffset, deliveryCount: null, availableAt: 0 })
    }
    const endInside = Math.min(Math.max(window.endOffset, startInside), afterLast)
    for (let offset = startInside; offset < endInside; offset++) {
      const entry = window.entry(offset)
      const run = entry === undefined ? null : runOf(entry)
      if (run !== null) append(runs, run)
    }
    for (const run of this.#found.get(bucket) ?? []) {
      if (run.lastOffset < endInside) continue
      append(runs, { ...run, firstOffset: Math.max(run.firstOffset, endInside) })
    }
    return runs
  }
}

function append(runs: DeliveryRun[], run: DeliveryRun): void {
  const last = runs.at(-1)
  const isSame =
    last?.lastOffset === run.firstOffset - 1 &&
    last.deliveryCount === run.deliveryCount &&
    last.availableAt === run.availableAt
  if (isSame) runs[runs.length - 1] = { ...last, lastOffset: run.lastOffset }
  else runs.push(run)
}

/** What is to be known of an entry; null where it is as it came. */
function runOf(entry: QueueEntry): DeliveryRun | null {
  const { offset, state, deliveryCount, availableAt, isPostponed } = entry
  const range = { firstOffset: offset, lastOffset: offset }
  if (state === 'finished') return { ...range, deliveryCount: null, availableAt: 0 }
  if (deliveryCount === 0 && !isPostponed) return null
  return { ...range, deliveryCount, availableAt: isPostponed ? availableAt : 0 }
}
