import type { Clock, Timer } from '@varve/log'
import { InvalidArgumentError, type Offset } from '@varve/record'
import { partitionName, type TopicPartition } from '../base/topic-partition.ts'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import { isMembershipOver } from '../groups/group-errors.ts'
import { attempt } from './attempts.ts'
import { CommitTracker } from './commit-tracker.ts'
import type { HandlerCalls } from './handler-calls.ts'
import { HandlingFailedError } from './handling-errors.ts'
import { exponentialRetry, type RetryPolicy } from './retry-policy.ts'

/** What a runner has to know of a record. */
export interface RunnableRecord extends TopicPartition {
  readonly offset: Offset
  readonly key: unknown
}

/** What a handler is told beside its record. */
export interface HandlingContext {
  /** Counted from 1. */
  readonly attempt: number
  /** Given when the run has to end: a handler may stop then, and its record comes again. */
  readonly signal: AbortSignal
}

/** How `consumer.run` handles records: side by side, in which order, how often again. */
export interface RunOptions<R extends RunnableRecord> {
  /** Handles one record; it is done when this resolves. */
  readonly handler: (record: R, context: HandlingContext) => Promise<void> | void
  /** How many records are handled at the same time. @defaultValue 1 */
  readonly concurrency?: number
  /**
   * What keeps the log's order: records of one `partition`, or only those of one `key` (records
   * without a key then have none). @defaultValue 'partition'
   */
  readonly order?: 'partition' | 'key'
  /** @defaultValue exponential, 5 attempts from 100 ms on */
  readonly retry?: RetryPolicy
  /**
   * Takes a record that the policy has given up; it is done when this resolves. Without it the run
   * ends with HandlingFailedError, the record not committed.
   */
  readonly deadLetter?: (record: R, failure: RecordFailure) => Promise<void>
  /** How often what is done is committed, in ms. @defaultValue 5000, as Kafka's clients do */
  readonly commitIntervalMs?: number
}

/** Why a record was given up. */
export interface RecordFailure {
  readonly attempts: number
  readonly error: unknown
}

/** Where a runner's records come from, and where its progress goes. */
export interface RunnerContext<R> {
  readonly records: AsyncIterator<R>
  /** UnknownMemberError and IllegalGenerationError say that partitions are with somebody else. */
  readonly commit: (offsets: readonly CommittedOffset[]) => Promise<void>
  /** A handler has settled. */
  readonly settled?: () => void
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  /** Where its calls of handlers are noted. @defaultValue nowhere */
  readonly calls?: HandlerCalls
}

/** A time in which a partition is this runner's. */
interface Lease {
  readonly controller: AbortController
  readonly signal: AbortSignal
}

/** So many records may wait behind others of their key, for each one that is handled. */
const waitingPerHandler = 16

/**
 * Handles records side by side, in order where that is asked for, each until it is done, and
 * commits only what everything below is done with: after a crash a record may be handled twice, but
 * none is left out.
 */
export class RecordRunner<R extends RunnableRecord> {
  readonly #options: Required<Omit<RunOptions<R>, 'deadLetter'>> & Pick<RunOptions<R>, 'deadLetter'>
  readonly #context: RunnerContext<R>
  readonly #tracker = new CommitTracker()
  readonly #stopping = new AbortController()
  /** The last record of each key or partition: the next waits for it. */
  readonly #chains = new Map<string, Promise<void>>()
  /** Running and waiting handlings, by partition. */
  readonly #inFlight = new Map<string, Set<Promise<void>>>()
  /** By partition: given when its records are no longer this runner's, or the run has to end. */
  readonly #leases = new Map<string, Lease>()
  /** Handlers that run, the oldest first. */
  readonly #handlers = new Set<{ readonly sinceMs: number }>()
  #running = 0
  #waiting = 0
  readonly #wakeHandler: Array<() => void> = []
  #wakeReader: (() => void) | null = null
  #timer: Timer | null = null
  #committing: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | null = null

  constructor(options: RunOptions<R>, context: RunnerContext<R>) {
    this.#options = {
      concurrency: 1,
      order: 'partition',
      retry: exponentialRetry(),
      commitIntervalMs: 5000,
      ...options,
    }
    this.#context = context
    const { concurrency } = this.#options
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      throw new InvalidArgumentError('concurrency', concurrency, 'must be a positive integer')
    }
  }

  /**
   * Runs until the records end or `stop` is called, then waits for what is being handled and
   * commits; closing what the records come from is for the caller. Rejects with
   * HandlingFailedError, and with what reading or committing failed with.
   */
  async run(): Promise<void> {
    this.#schedule()
    try {
      await this.#read()
    } catch (error) {
      this.#fail(error)
    }
    await this.#settled()
    this.#timer?.cancel()
    await this.#commit()
    if (this.#failure !== null) throw this.#failure.error
  }

  /** Since when the handler that has run longest has been running; null when none is. */
  get handlingSinceMs(): number | null {
    for (const { sinceMs } of this.#handlers) return sinceMs
    return null
  }

  /** Hands out no more records, tells the handlers, and lets `run` come to its end. */
  stop(): void {
    this.#stopping.abort()
    this.#wakeReader?.()
  }

  /**
   * Lets go of partitions: what waits of them, or for its next attempt, is dropped; what is being
   * handled is told and waited for; what is done is committed. For a rebalance.
   */
  async release(partitions: readonly TopicPartition[]): Promise<void> {
    this.#endLeases(partitions)
    await Promise.all(
      partitions.flatMap((each) => [...(this.#inFlight.get(partitionName(each)) ?? [])]),
    )
    await this.#commit()
    for (const each of partitions) this.#tracker.forget(each)
  }

  /** Partitions are with somebody else already: nothing more of them is handled, or committed. */
  lose(partitions: readonly TopicPartition[]): void {
    this.#endLeases(partitions)
    for (const each of partitions) this.#tracker.forget(each)
  }

  #endLeases(partitions: readonly TopicPartition[]): void {
    for (const name of partitions.map(partitionName)) {
      this.#leases.get(name)?.controller.abort()
      this.#leases.delete(name)
    }
  }

  async #read(): Promise<void> {
    const { concurrency } = this.#options
    const { records } = this.#context
    const { signal } = this.#stopping
    const stopped = new Promise<null>((resolve) => {
      signal.addEventListener('abort', () => resolve(null), { once: true })
    })
    while (!signal.aborted) {
      while (this.#waiting + this.#running >= concurrency * waitingPerHandler && !signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
      }
      const result = await Promise.race([records.next(), stopped])
      if (result === null || result.done === true) break
      this.#accept(result.value)
    }
  }

  #accept(record: R): void {
    const { topic, partition, offset } = record
    const name = partitionName(record)
    const chainName = this.#chainOf(record)
    this.#tracker.began({ topic, partition }, offset)
    const before = chainName === null ? undefined : this.#chains.get(chainName)
    this.#waiting += 1
    const handling = this.#handle(record, before, this.#leaseOf(name)).finally(() => {
      const flying = this.#inFlight.get(name)
      flying?.delete(handling)
      if (flying?.size === 0) this.#inFlight.delete(name)
      if (chainName !== null && this.#chains.get(chainName) === handling) {
        this.#chains.delete(chainName)
      }
      this.#wakeReader?.()
    })
    const flying = this.#inFlight.get(name) ?? new Set()
    this.#inFlight.set(name, flying.add(handling))
    if (chainName !== null) this.#chains.set(chainName, handling)
  }

  async #handle(record: R, before: Promise<void> | undefined, { signal }: Lease): Promise<void> {
    await before
    await this.#slot()
    this.#waiting -= 1
    this.#running += 1
    try {
      if (signal.aborted) return
      const isDone = await this.#attempt(record, signal)
      if (isDone) this.#tracker.done(record, record.offset)
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#running -= 1
      this.#wakeHandler.shift()?.()
    }
  }

  /** Whether the record is done: handled, or with the dead letters. */
  async #attempt(record: R, signal: AbortSignal): Promise<boolean> {
    const { handler, retry, deadLetter } = this.#options
    const { clock, random } = this.#context
    const handle = (count: number) => {
      return this.#attended(() => handler(record, { attempt: count, signal }))
    }
    const outcome = await attempt(handle, { policy: retry, clock, random, signal })
    if (outcome.kind !== 'failed') return outcome.kind === 'handled'
    const { attempts, error } = outcome
    if (deadLetter === undefined) throw new HandlingFailedError(record, attempts, error)
    await this.#attended(() => deadLetter(record, { attempts, error }))
    return true
  }

  async #attended(handle: () => Promise<void> | void): Promise<void> {
    const handling = { sinceMs: this.#context.clock.monotonic() }
    this.#handlers.add(handling)
    try {
      const { calls } = this.#context
      await (calls === undefined ? handle() : calls.call(handle))
    } finally {
      this.#handlers.delete(handling)
      this.#context.settled?.()
    }
  }

  async #slot(): Promise<void> {
    while (this.#running >= this.#options.concurrency) {
      await new Promise<void>((resolve) => {
        this.#wakeHandler.push(resolve)
      })
    }
  }

  #leaseOf(name: string): Lease {
    let lease = this.#leases.get(name)
    if (lease === undefined) {
      const controller = new AbortController()
      const signal = AbortSignal.any([controller.signal, this.#stopping.signal])
      lease = { controller, signal }
      this.#leases.set(name, lease)
    }
    return lease
  }

  #chainOf(record: R): string | null {
    const name = partitionName(record)
    if (this.#options.order === 'partition') return name
    const { key } = record
    if (key === null || key === undefined) return null
    const text = key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : String(key)
    return `${name} ${text}`
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.stop()
  }

  async #settled(): Promise<void> {
    while (this.#inFlight.size > 0) {
      await Promise.all([...this.#inFlight.values()].flatMap((handlings) => [...handlings]))
    }
  }

  /** One commit after the other, so that an older one never ends later. */
  #commit(): Promise<void> {
    this.#committing = this.#committing.then(async () => {
      const offsets = this.#tracker.takeCommittable()
      if (offsets.length === 0) return
      try {
        await this.#context.commit(offsets)
      } catch (error) {
        this.#tracker.giveBack(offsets)
        // What is with another member by now is handled there; what is not, is due again.
        if (!isMembershipOver(error)) this.#fail(error)
      }
    })
    return this.#committing
  }

  #schedule(): void {
    const { commitIntervalMs } = this.#options
    this.#timer = this.#context.clock.setTimer(commitIntervalMs, () => {
      void this.#commit()
      if (!this.#stopping.signal.aborted) this.#schedule()
    })
  }
}
