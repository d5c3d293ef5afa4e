import { type Log, OffsetOutOfRangeError, type Timer } from '@varve/log'
import type { Offset, Timestamp } from '@varve/record'
import type { RawRecord } from '../handling/handled-record.ts'
import { DeliveryNotes, type NotedWindow } from './delivery-notes.ts'
import { Heap } from './heap.ts'
import { hasExpired, makeEntry, type QueueEntry, rawRecordOf, timeAfter } from './queue-entry.ts'
import { DeliveryExpiredError } from './queue-errors.ts'
import type { QueuePartitionContext } from './queue-partition-context.ts'

/** An entry that somebody has: no longer when its turn has changed. */
interface Lock {
  readonly entry: QueueEntry
  readonly turn: number
}

/** An entry as it was at some moment: void when its turn has changed. */
interface Moment extends Lock {
  /** Monotonic. */
  readonly dueMs: number
}

/** So many finished entries stay in the order before it is made anew. */
const orderSlack = 1024

/** After what time a record is offered again that the dead-letter topic did not take. */
const deadLetterRetryMs = 1000

/**
 * One partition of a queue: the window of records that are not all finished, in memory, and what of
 * it has to survive, in the state log. The rules are those of Kafka's share partitions (KIP-932):
 * a record is available, acquired under a lock that runs out, or finished; the start moves on when
 * the first records of the window are finished; the number of deliveries is limited.
 *
 * A delivery is counted in the state log before the record is handed out, so that one that kills
 * its process counts too; what finishes a record is durable before its promise resolves.
 */
export class QueuePartition implements NotedWindow {
  readonly #context: QueuePartitionContext
  readonly #entries = new Map<Offset, QueueEntry>()
  /** The same in order, from `#head` on: a map is slow to find its first after many deletions. */
  #order: QueueEntry[] = []
  #head = 0
  /** Entries of each key in order, where order is kept: only the first may be taken. */
  readonly #keys = new Map<string, QueueEntry[]>()
  readonly #ready = new Heap<Moment>((left, right) => left.entry.offset < right.entry.offset)
  /** Delays and locks that run out. */
  readonly #timed = new Heap<Moment>((left, right) => left.dueMs < right.dueMs)
  readonly #closing = new AbortController()
  readonly #notes: DeliveryNotes
  #start: Offset
  /** Where the window ends. */
  #end: Offset
  #timer: Timer | null = null
  #timerDueMs = Infinity
  #windowBytes = 0
  #unfinished = 0
  #acquired = 0
  #makeRoom: (() => void) | null = null
  #isRetired = false
  #following: Promise<void> = Promise.resolve()

  constructor(context: QueuePartitionContext) {
    this.#context = context
    const { log, state, queue, partition } = context
    this.#notes = new DeliveryNotes(log, state, queue, partition)
    const found = this.#notes.foundStart ?? log.logStartOffset
    this.#start = Math.min(Math.max(found, log.logStartOffset), log.logEndOffset)
    this.#end = this.#start
  }

  get log(): Log {
    return this.#context.log
  }

  /** Whether nothing has been noted of it. */
  get isNew(): boolean {
    return this.#notes.foundStart === null
  }

  /** Notes where a new queue begins, and begins to read. */
  async open(startAt: 'earliest' | 'latest'): Promise<void> {
    if (this.isNew) {
      if (startAt === 'latest') this.#start = this.#context.log.highWatermark
      this.#end = this.#start
      await this.#notes.note(-1, this)
    }
    this.#following = this.#follow()
  }

  /** Below it everything is finished. */
  get startOffset(): Offset {
    return this.#start
  }

  /** Where the window ends: records from there on have not been looked at. */
  get endOffset(): Offset {
    return this.#end
  }

  entry(offset: Offset): QueueEntry | undefined {
    return this.#entries.get(offset)
  }

  /** Records that are not finished, those beyond the window included. */
  get length(): number {
    return this.#unfinished + Math.max(0, this.#context.log.highWatermark - this.#end)
  }

  /** Records that somebody has. */
  get acquired(): number {
    return this.#acquired
  }

  /** Of the first record that is not finished; null when there is none. */
  get oldestTimestamp(): Timestamp | null {
    return this.#order[this.#head]?.timestamp ?? null
  }

  /** The first record that is available, now acquired; null when there is none. */
  take(visibilityTimeoutMs: number): Lock | null {
    if (this.#isRetired) return null
    for (let moment = this.#ready.pop(); moment !== undefined; moment = this.#ready.pop()) {
      const { entry, turn } = moment
      if (entry.turn !== turn || entry.state !== 'available') continue
      if (this.#hasExpired(entry)) continue
      entry.state = 'acquired'
      entry.deliveryCount += 1
      entry.turn += 1
      this.#acquired += 1
      this.#time(entry, visibilityTimeoutMs)
      return { entry, turn: entry.turn }
    }
    return null
  }

  /** A record whose time to live is over is finished: it is not delivered, by anybody. */
  #hasExpired(entry: QueueEntry): boolean {
    const { recordTtlMs, clock, troubled } = this.#context
    if (!hasExpired(entry, recordTtlMs(), clock.now())) return false
    this.#finish(entry).catch(troubled)
    return true
  }

  /**
   * Counts the delivery in the state log, and has the record at hand; null when retention has
   * deleted it meanwhile.
   */
  async deliver({ entry, turn }: Lock): Promise<RawRecord | null> {
    await this.#notes.noteDelivery(entry.offset, this)
    try {
      return await this.#recordOf(entry)
    } catch (error) {
      if (!(error instanceof OffsetOutOfRangeError)) throw error
      if (entry.turn === turn) await this.#finish(entry)
      return null
    }
  }

  async acknowledge(entry: QueueEntry, turn: number): Promise<void> {
    this.#check(entry, turn)
    await this.#finish(entry)
  }

  /** Gives a record back, to be delivered again after a while. */
  async release(entry: QueueEntry, turn: number, delayMs: number): Promise<void> {
    this.#check(entry, turn)
    const availableAt = delayMs === 0 ? 0 : timeAfter(this.#context.clock.now(), delayMs)
    if (entry.deliveryCount >= this.#context.maxDeliveries) {
      await this.#giveUp(entry, new Error('released as often as it may be delivered'))
      return
    }
    this.#makeAvailable(entry, availableAt)
    if (delayMs > 0) await this.#notes.note(entry.offset, this)
  }

  /** Never delivers a record again: it goes to the dead letters. */
  async reject(entry: QueueEntry, turn: number, error: unknown): Promise<void> {
    this.#check(entry, turn)
    await this.#giveUp(entry, error)
  }

  /** Begins the lock's time anew. */
  extend(entry: QueueEntry, turn: number, visibilityTimeoutMs: number): number {
    this.#check(entry, turn)
    entry.turn += 1
    this.#time(entry, visibilityTimeoutMs)
    return entry.turn
  }

  /** Deletes segments of which everything is finished. */
  async deleteFinished(): Promise<void> {
    const { log } = this.#context
    const { durableStart } = this.#notes
    const first = log.segments()[0]
    if (first === undefined || first.nextOffset > durableStart) return
    await log.deleteSegmentsBefore(Math.min(durableStart, log.highWatermark), 'request')
  }

  /** As `close`, because another takes its place: what is with consumers counts as expired. */
  async retire(): Promise<void> {
    this.#isRetired = true
    await this.close()
  }

  /** Whoever has records does not finish them any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#timer?.cancel()
    this.#makeRoom?.()
    await this.#following
    await this.#notes.settled()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await this.#readOn(signal)
        return
      } catch (error) {
        if (error instanceof OffsetOutOfRangeError && this.#skipDeleted()) continue
        if (!signal.aborted) this.#context.failed(error)
        return
      }
    }
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const { log } = this.#context
    const from = this.#end
    const reader = log.reader({ from, follow: true, isolation: 'committed', signal })
    try {
      for (;;) {
        await this.#whenRoom(signal)
        const batches = signal.aborted ? null : await reader.nextBatches()
        if (batches === null) return
        for (const batch of batches) {
          await this.#whenRoom(signal)
          if (signal.aborted) return
          for (const record of batch.records()) {
            if (record.offset >= from) this.#add(makeEntry(record, this.#context, this.#keeping))
          }
        }
        this.#end = Math.max(this.#end, reader.nextOffset)
        this.#advance()
      }
    } finally {
      await reader.return()
    }
  }

  async #whenRoom(signal: AbortSignal): Promise<void> {
    while (this.#entries.size >= this.#context.windowRecords && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#makeRoom = resolve
      })
    }
  }

  get #keeping(): { readonly isOrdered: boolean; readonly keepsRecord: boolean } {
    const { isOrdered, windowBytes } = this.#context
    return { isOrdered, keepsRecord: this.#windowBytes < windowBytes }
  }

  #add(entry: QueueEntry): void {
    const { offset, orderKey } = entry
    this.#end = offset + 1
    const run = this.#notes.foundAt(offset)
    this.#entries.set(offset, entry)
    this.#order.push(entry)
    if (run !== undefined && run.deliveryCount === null) {
      entry.state = 'finished'
      entry.record = null
      return
    }
    if (run !== undefined) {
      entry.deliveryCount = run.deliveryCount ?? 0
      entry.isPostponed = run.availableAt > 0
      entry.availableAt = Math.max(entry.availableAt, run.availableAt)
    }
    this.#unfinished += 1
    if (entry.record !== null) this.#windowBytes += entry.sizeBytes
    if (orderKey !== null) {
      const others = this.#keys.get(orderKey)
      if (others === undefined) this.#keys.set(orderKey, [entry])
      else others.push(entry)
    }
    this.#offer(entry)
  }

  /** Retention was faster than the queue: what is gone cannot be delivered. */
  #skipDeleted(): boolean {
    const { logStartOffset } = this.#context.log
    if (logStartOffset <= this.#end) return false
    for (const entry of this.#entries.values()) {
      if (entry.offset < logStartOffset && entry.state === 'available') this.#settle(entry)
    }
    this.#end = logStartOffset
    this.#advance()
    return true
  }

  async #recordOf(entry: QueueEntry): Promise<RawRecord> {
    if (entry.record !== null) return entry.record
    const { log } = this.#context
    const { batches } = await log.read({ from: entry.offset, maxBytes: 1 })
    for (const record of batches[0]?.records() ?? []) {
      if (record.offset === entry.offset) return rawRecordOf(record, this.#context)
    }
    throw new OffsetOutOfRangeError(log.name, entry.offset, log.logStartOffset, log.logEndOffset)
  }

  #makeAvailable(entry: QueueEntry, availableAt: Timestamp): void {
    this.#unlock(entry)
    entry.state = 'available'
    entry.turn += 1
    entry.isPostponed = availableAt > 0
    entry.availableAt = availableAt
    this.#offer(entry)
  }

  /** Lets a record be taken when it is its time and, where order is kept, its turn. */
  #offer(entry: QueueEntry): void {
    if (entry.orderKey !== null && this.#keys.get(entry.orderKey)?.[0] !== entry) return
    const restMs = entry.availableAt - this.#context.clock.now()
    if (restMs > 0) {
      this.#time(entry, restMs)
      return
    }
    this.#ready.push({ entry, turn: entry.turn, dueMs: 0 })
    this.#context.ready()
  }

  #time(entry: QueueEntry, durationMs: number): void {
    const dueMs = this.#context.clock.monotonic() + durationMs
    this.#timed.push({ entry, turn: entry.turn, dueMs })
    this.#arm()
  }

  #arm(): void {
    const dueMs = this.#timed.peek()?.dueMs ?? Infinity
    if (dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    const { clock } = this.#context
    this.#timer = clock.setTimer(Math.max(0, dueMs - clock.monotonic()), () => this.#ring())
  }

  /** Delays and locks have run out. */
  #ring(): void {
    this.#timerDueMs = Infinity
    if (this.#closing.signal.aborted) return
    const nowMs = this.#context.clock.monotonic()
    for (let next = this.#timed.peek(); next !== undefined; next = this.#timed.peek()) {
      if (next.dueMs > nowMs) break
      this.#timed.pop()
      const { entry, turn } = next
      if (entry.turn !== turn) continue
      if (entry.state === 'available') this.#offer(entry)
      else if (entry.state === 'acquired') this.#expire(entry)
    }
    this.#arm()
  }

  #expire(entry: QueueEntry): void {
    if (entry.deliveryCount < this.#context.maxDeliveries) {
      this.#makeAvailable(entry, 0)
      return
    }
    entry.turn += 1
    const error = new Error('not acknowledged in time, as often as it may be delivered')
    this.#giveUp(entry, error).catch((failure: unknown) => this.#context.troubled(failure))
  }

  #check(entry: QueueEntry, turn: number): void {
    if (entry.state === 'acquired' && entry.turn === turn && !this.#isRetired) return
    const { queue, partition } = this.#context
    throw new DeliveryExpiredError(queue, partition, entry.offset)
  }

  async #giveUp(entry: QueueEntry, error: unknown): Promise<void> {
    const { deadLetter, clock } = this.#context
    // No longer anybody's, and not to be taken meanwhile.
    entry.turn += 1
    if (deadLetter !== null) {
      try {
        const attempts = entry.deliveryCount
        const record = await this.#recordOf(entry)
        await deadLetter(record, { attempts, error, timestamp: clock.now() })
      } catch (failure) {
        this.#makeAvailable(entry, clock.now() + deadLetterRetryMs)
        throw failure
      }
    }
    await this.#finish(entry)
  }

  async #finish(entry: QueueEntry): Promise<void> {
    this.#settle(entry)
    this.#advance()
    await this.#notes.note(entry.offset, this)
  }

  #unlock({ state }: QueueEntry): void {
    if (state !== 'acquired') return
    this.#acquired -= 1
    this.#context.freed()
  }

  #settle(entry: QueueEntry): void {
    this.#unlock(entry)
    entry.state = 'finished'
    entry.turn += 1
    this.#unfinished -= 1
    if (entry.record !== null) this.#windowBytes -= entry.sizeBytes
    entry.record = null
    if (entry.orderKey === null) return
    const others = this.#keys.get(entry.orderKey) ?? []
    others.splice(others.indexOf(entry), 1)
    const [next] = others
    if (next === undefined) this.#keys.delete(entry.orderKey)
    else if (next.state === 'available') this.#offer(next)
  }

  /** The window begins with the first record that is not finished. */
  #advance(): void {
    let first = this.#order[this.#head]
    while (first?.state === 'finished') {
      this.#entries.delete(first.offset)
      this.#head += 1
      first = this.#order[this.#head]
    }
    if (this.#head >= orderSlack && this.#head * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#head)
      this.#head = 0
    }
    this.#start = first?.offset ?? this.#end
    this.#room()
  }

  #room(): void {
    if (this.#entries.size < this.#context.windowRecords) this.#makeRoom?.()
  }
}
