import { InvalidArgumentError, type Offset } from '@varve/record'
import { ClosedError } from '../base/broker-errors.ts'
import { bytesSerde, type Deserializer } from '../base/serializers.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { MemberIdentity } from '../groups/group-protocol.ts'
import { RecordRunner, type RunnerContext, type RunOptions } from '../handling/record-runner.ts'
import type { AssignmentSource, PartitionOwner } from './assignment-source.ts'
import type { CommittedOffset, CommittedOffsets, OffsetsOwner } from './committed-offsets.ts'
import { type ConsumerOptions, checkStartingPoint, type StartingPoint } from './consumer-options.ts'
import { ConsumerRecord, type Deserializers } from './consumer-record.ts'
import { type Held, HeldPartitions, type PartitionLag } from './held-partitions.ts'
import { offsetOf, PartitionFeed } from './partition-feed.ts'
import type { ReadablePartition } from './readable-partition.ts'

/** What consumers need of the place where the topics are. */
export interface ConsumingContext extends Pick<RunnerContext<never>, 'clock' | 'random' | 'calls'> {
  /** Throws, or rejects with, TopicNotFoundError. */
  partition(place: TopicPartition): ReadablePartition | Promise<ReadablePartition>
}

const fetchBytesMin = 16 * 1024

/**
 * Reads records of topics, one after the other. Made by `varve.consumer()`.
 *
 * The partitions take turns. Within one the records come in the order of the log; none is left out
 * without an error or a note of it. While the program handles a record, the next ones are read
 * ahead, within `bufferBytes`.
 *
 * @example
 * ```ts
 * const consumer = varve.consumer({ topics: ['orders'], from: 'earliest' })
 * for await (const record of consumer) {
 *   console.log(record.topic, record.partition, record.offset, String(record.value))
 * }
 * ```
 */
export class Consumer<Key = Buffer, Value = Buffer>
  implements AsyncIterableIterator<ConsumerRecord<Key, Value>>, OffsetsOwner, AsyncDisposable
{
  readonly #context: ConsumingContext
  readonly #options: ConsumerOptions<Key, Value>
  readonly #source: AssignmentSource
  readonly #offsets: CommittedOffsets | null
  readonly #deserializers: Deserializers<Key, Value>
  readonly #held = new HeldPartitions()
  /** The record that the program has. */
  #handed: { readonly held: Held; readonly nextOffset: Offset } | null = null
  #starting: Promise<void> | null = null
  #failure: { readonly error: unknown } | null = null
  #wake: (() => void) | null = null
  #closing: Promise<void> | null = null
  #isClosed = false
  #hasEnded = false
  #runner: RecordRunner<ConsumerRecord<Key, Value>> | null = null
  #lastCommitMs: number
  readonly #onClosed: () => void
  readonly #onAbort = (): void => void this.close().catch(() => undefined)

  /** @internal Consumers are made by `varve.consumer()`. */
  constructor(
    context: ConsumingContext,
    options: ConsumerOptions<Key, Value>,
    source: AssignmentSource,
    offsets: CommittedOffsets | null,
    onClosed: () => void,
  ) {
    this.#context = context
    this.#options = options
    this.#source = source
    this.#offsets = offsets
    this.#onClosed = onClosed
    const bytes: Deserializer<unknown> = bytesSerde
    this.#deserializers = {
      key: options.keyDeserializer ?? (bytes as Deserializer<Key>),
      value: options.valueDeserializer ?? (bytes as Deserializer<Value>),
    }
    this.#lastCommitMs = context.clock.monotonic()
    if (options.autoCommitMs !== undefined) this.#assertCommits()
    options.signal?.addEventListener('abort', this.#onAbort)
    if (options.signal?.aborted === true) this.#onAbort()
  }

  /** Null without one. */
  get group(): string | null {
    return this.#offsets?.group ?? null
  }

  /** Who it is to its group now; null without one. */
  get member(): MemberIdentity | null {
    return this.#offsets?.identity ?? null
  }

  /** The partitions that it has now. */
  get partitions(): readonly TopicPartition[] {
    return this.#held.all.map(({ place }) => place)
  }

  /**
   * The next record; the one before counts as done. Ends when the consumer is closed, or without
   * `follow` at the ends of all partitions. In a group the consumer is closed then, so that others
   * get its partitions: at once with `autoCommitMs` or where everything is committed, else once
   * `commit` has committed everything. Without that it is out after `maxPollIntervalMs`.
   *
   * Rejects with RecordsDeletedError, CorruptLogError and whatever else keeps a partition from
   * being read: again with each call, until `seek` or `pause` deals with that partition. Rejects
   * with TopicNotFoundError when a topic is deleted, and with what its group says.
   */
  async next(): Promise<IteratorResult<ConsumerRecord<Key, Value>, undefined>> {
    this.#source.polled()
    this.#hasEnded = false
    this.#handled()
    this.#starting ??= this.#start()
    await this.#starting
    for (;;) {
      if (this.#closing !== null) return { done: true, value: undefined }
      if (this.#failure !== null) throw this.#failure.error
      if (this.#isCommitDue) await this.#autoCommit()
      const record = this.#take()
      if (record !== null) {
        this.#source.delivered()
        return { done: false, value: record }
      }
      if (this.#isAtEnd) {
        await this.#leaveAtEnd()
        return { done: true, value: undefined }
      }
      await this.#somethingNew()
    }
  }

  /** Leaving the loop closes the consumer. */
  async return(): Promise<IteratorResult<ConsumerRecord<Key, Value>, undefined>> {
    await this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /**
   * Commits that records have been handled: up to this one in its partition, these offsets (of the
   * next records to be handled), or without an argument everything that was handed out. Durable
   * when it resolves. Rejects with InvalidArgumentError for a consumer without a group, and as its
   * group says when the partition has gone to somebody else.
   */
  async commit(
    what?: ConsumerRecord<Key, Value> | readonly CommittedOffset[] | undefined,
  ): Promise<void> {
    const offsets = this.#assertCommits()
    const committed = this.#toCommit(what)
    if (committed.length === 0) return
    await offsets.commit(committed)
    for (const place of committed) {
      for (const held of this.#held.of([place])) held.committed = place.offset
    }
    this.#lastCommitMs = this.#context.clock.monotonic()
    if (this.#hasEnded && this.#closing === null) await this.#leaveAtEnd()
  }

  /**
   * Rejects with what `commit` would reject with now. A transaction asks it, so that a consumer
   * whose partitions have gone to somebody else commits nothing.
   */
  async checkOffsets(offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#assertCommits().check(offsets)
  }

  /** Passes these partitions over until `resume`. Those it does not have are ignored. */
  pause(partitions: readonly TopicPartition[] = this.partitions): void {
    for (const held of this.#held.of(partitions)) held.feed.isPaused = true
  }

  /** Ends `pause`: goes on where it was. Those it does not have are ignored. */
  resume(partitions: readonly TopicPartition[] = this.partitions): void {
    for (const held of this.#held.of(partitions)) held.feed.isPaused = false
    this.#wake?.()
  }

  /** Goes on elsewhere in a partition. Rejects with InvalidArgumentError where it has it not. */
  async seek(place: TopicPartition, to: StartingPoint): Promise<void> {
    checkStartingPoint(to)
    const held = this.#held.mustHave(place)
    const { log } = await this.#context.partition(place)
    const position = await offsetOf(log, to, this.#isolation)
    held.feed.seek(position)
    held.done = position
    if (this.#handed?.held === held) this.#handed = null
    this.#wake?.()
  }

  /** The offset of the next record of a partition. Throws InvalidArgumentError. */
  position(place: TopicPartition): Offset {
    return this.#held.mustHave(place).feed.position
  }

  /** How far it is behind, by partition. */
  lag(): readonly PartitionLag[] {
    return this.#held.lag()
  }

  /**
   * Hands every record to a handler, several at a time where that is asked for, with retries and
   * dead letters, and commits what is done (of a group). Runs until the consumer is closed or its
   * signal is given; then what is being handled is waited for.
   *
   * Rejects with HandlingFailedError when a record could not be handled and there is no
   * `deadLetter`, with InvalidArgumentError while another run goes on, and as `next` does. The
   * consumer is closed in any case.
   *
   * @example
   * ```ts
   * const consumer = varve.consumer({ group: 'billing', topics: ['orders'] })
   * await consumer.run({ concurrency: 8, order: 'key', handler: (record) => bill(record.value) })
   * ```
   */
  async run(options: RunOptions<ConsumerRecord<Key, Value>>): Promise<void> {
    if (this.#runner !== null) {
      throw new InvalidArgumentError('run', 'another one', 'a consumer has one run at a time')
    }
    const commit = async (offsets: readonly CommittedOffset[]): Promise<void> => {
      if (this.#offsets !== null && this.#offsets.isReadOnly !== true) await this.commit(offsets)
    }
    const settled = (): void => this.#source.settled?.()
    this.#runner = new RecordRunner(options, { ...this.#context, records: this, commit, settled })
    try {
      await this.#runner.run()
    } finally {
      await this.#closed()
      this.#runner = null
    }
  }

  /**
   * Gets the partitions now, instead of with the first record. Rejects with what makes consuming
   * impossible.
   */
  async start(): Promise<void> {
    this.#starting ??= this.#start()
    await this.#starting
  }

  /**
   * Ends the records. With `autoCommitMs`, commits what is done; the record that the program has
   * counts as done when it has asked for another one, so leaving a loop half-way leaves it to be
   * handled again. Idempotent.
   *
   * While `run` goes on it is only told to end, so that a handler, too, can wait for this: what is
   * being handled goes on, and is committed. The promise of `run` resolves, or rejects, when all of
   * that is done; so does `await using`, and closing the Varve.
   */
  close(): Promise<void> {
    const closed = this.#closed()
    if (this.#runner === null) return closed
    // The run tells what comes of it.
    closed.catch(() => undefined)
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closed()
  }

  #closed(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #start(): Promise<void> {
    const owner: PartitionOwner = {
      assign: (partitions, areNew = false) => this.#assign(partitions, areNew),
      revoke: (partitions) => this.#revoke(partitions),
      lose: (partitions) => this.#lose(partitions),
      handlingSinceMs: () => this.#runner?.handlingSinceMs,
      fail: (error) => {
        this.#failure ??= { error }
        this.#wake?.()
      },
    }
    await this.#source.start(owner)
  }

  async #assign(partitions: readonly TopicPartition[], areNew: boolean): Promise<void> {
    const added = partitions.filter((place) => this.#held.of([place]).length === 0)
    const committed = (await this.#offsets?.fetch(added)) ?? []
    const count = this.#held.all.length + added.length
    const holding: Held[] = []
    for (const [index, place] of added.entries()) {
      const known = committed[index]?.offset ?? null
      holding.push(await this.#hold(place, known, areNew, count))
    }
    this.#held.add(holding)
    await this.#options.onAssigned?.(added)
    this.#wake?.()
  }

  async #hold(
    { topic, partition }: TopicPartition,
    committed: Offset | null,
    isNew: boolean,
    count: number,
  ): Promise<Held> {
    const place = { topic, partition }
    const { bufferBytes = 32 * 2 ** 20, fetchBytes = 2 ** 20 } = this.#options
    const found = await this.#context.partition(place)
    const from = isNew ? 'earliest' : (this.#options.from ?? 'earliest')
    const position = committed ?? (await offsetOf(found.log, from, this.#isolation))
    const share = Math.floor(bufferBytes / 2 / count)
    const feed = new PartitionFeed(found, position, {
      clock: this.#context.clock,
      isolation: this.#isolation,
      follow: this.#options.follow ?? true,
      whenDeleted: this.#options.whenDeleted ?? 'fail',
      onDeleted: (error) => this.#options.onDeleted?.(error),
      fetchBytes: Math.min(fetchBytes, Math.max(share, fetchBytesMin)),
      wake: () => this.#wake?.(),
    })
    return { place, feed, done: position, committed, from: position }
  }

  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    const going = this.#held.of(partitions)
    for (const { feed } of going) feed.close()
    try {
      await this.#runner?.release(partitions)
      await this.#options.onRevoked?.(going.map(({ place }) => place))
      if (this.#options.autoCommitMs !== undefined) await this.#commitDone(going)
    } finally {
      this.#forget(going)
    }
  }

  #lose(partitions: readonly TopicPartition[]): void {
    const gone = this.#held.of(partitions)
    for (const { feed } of gone) feed.close()
    this.#runner?.lose(partitions)
    this.#forget(gone)
    this.#options.onLost?.(gone.map(({ place }) => place))
  }

  #forget(gone: readonly Held[]): void {
    this.#held.remove(gone)
    if (this.#handed !== null && gone.includes(this.#handed.held)) this.#handed = null
  }

  #take(): ConsumerRecord<Key, Value> | null {
    const taken = this.#held.take(this.#context.clock.now())
    if (taken === null) return null
    const { held, record, leaderEpoch } = taken
    this.#handed = { held, nextOffset: record.offset + 1 }
    return new ConsumerRecord(held.place, record, leaderEpoch, this.#deserializers)
  }

  get #isAtEnd(): boolean {
    return this.#options.follow === false && this.#held.all.every(({ feed }) => feed.isAtEnd)
  }

  /** Others are to get what it does not read any more; `run` closes its consumer itself. */
  async #leaveAtEnd(): Promise<void> {
    if (this.member === null || this.#runner !== null) return
    this.#hasEnded = true
    const commits = this.#options.autoCommitMs !== undefined
    if (commits || this.#held.areCommitted) await this.#closed()
    else this.#source.delivered()
  }

  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      const others = this.#wake
      this.#wake = () => {
        this.#wake = null
        others?.()
        resolve()
      }
    })
  }

  /** The program has asked for more: it is done with the record that it had. */
  #handled(): void {
    if (this.#handed === null) return
    const { held, nextOffset } = this.#handed
    this.#handed = null
    held.done = nextOffset
  }

  get #isCommitDue(): boolean {
    const { autoCommitMs } = this.#options
    if (autoCommitMs === undefined) return false
    return this.#context.clock.monotonic() - this.#lastCommitMs >= autoCommitMs
  }

  async #autoCommit(): Promise<void> {
    this.#lastCommitMs = this.#context.clock.monotonic()
    await this.#commitDone(this.#held.all)
  }

  async #commitDone(of: readonly Held[]): Promise<void> {
    const due = of.filter(({ done, committed }) => done !== committed)
    if (due.length === 0 || this.#offsets === null) return
    await this.#offsets.commit(due.map(({ place, done }) => ({ ...place, offset: done })))
    for (const held of due) held.committed = held.done
  }

  #toCommit(
    what: ConsumerRecord<Key, Value> | readonly CommittedOffset[] | undefined,
  ): readonly CommittedOffset[] {
    if (what instanceof ConsumerRecord) {
      const { topic, partition, offset, leaderEpoch } = what
      return [{ topic, partition, offset: offset + 1, leaderEpoch }]
    }
    if (what !== undefined) return what
    return this.#held.uncommitted()
  }

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#wake?.()
    try {
      this.#runner?.stop()
      if (this.#options.autoCommitMs !== undefined) await this.#commitDone(this.#held.all)
    } finally {
      await this.#source.close().finally(() => this.#end())
    }
  }

  async #end(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    this.#isClosed = true
    for (const { feed } of this.#held.all) feed.close()
    this.#held.remove(this.#held.all)
    this.#wake?.()
    this.#onClosed()
  }

  get #isolation(): 'committed' | 'uncommitted' {
    return this.#options.isolation ?? 'committed'
  }

  #assertCommits(): CommittedOffsets {
    if (this.#isClosed) throw new ClosedError('the consumer')
    if (this.#offsets !== null) return this.#offsets
    throw new InvalidArgumentError('group', undefined, 'only consumers of a group commit offsets')
  }
}
