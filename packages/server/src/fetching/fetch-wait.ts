import type { Clock, Log } from '@varve/log'
import type { Client } from '../base/client.ts'
import { Deadlines, type Expiring } from './deadlines.ts'
import { type LogWaiter, LogWatches } from './log-watches.ts'

/** Where waits are kept. */
export class WaitingRoom {
  readonly watches: LogWatches
  readonly deadlines: Deadlines
  readonly waits: Set<FetchWait> = new Set()
  readonly #stopping: AbortSignal

  /** @param stopping aborted when the server stops: nobody waits any longer */
  constructor(clock: Clock, stopping: AbortSignal) {
    this.watches = new LogWatches(clock)
    this.deadlines = new Deadlines(clock)
    this.#stopping = stopping
    // One listener for all: a signal with ten thousand takes long to remove one.
    stopping.addEventListener('abort', () => {
      for (const wait of this.waits) wait.expire()
    })
  }

  get isClosed(): boolean {
    return this.#stopping.aborted
  }
}

/** What a fetch waits for. */
export interface Awaited {
  readonly logs: ReadonlySet<Log>
  /** So many bytes more, in all of them. */
  readonly bytes: number
  readonly maxMs: number
  /** Looked at when there are so many more: whether there is really something to be told. */
  readonly isReady: () => boolean
}

/** Wakes in the turn after logs have grown, all who were found to be ready together. */
class Waking {
  readonly #woken: FetchWait[] = []

  add(wait: FetchWait): void {
    if (this.#woken.push(wait) > 1) return
    // After those who have appended were told, and with what else has come in this turn.
    setImmediate(() => {
      for (const woken of this.#woken.splice(0)) woken.look()
    })
  }
}

const waking = new Waking()

/** A fetch that waits for records: while it does, it costs nothing but its place. */
export class FetchWait implements LogWaiter, Expiring {
  readonly #room: WaitingRoom
  readonly #awaited: Awaited
  readonly #done: () => void
  readonly #cancels: (() => void)[] = []
  #missingBytes: number
  #isWoken = false
  #isOver = false

  private constructor(room: WaitingRoom, awaited: Awaited, done: () => void) {
    this.#room = room
    this.#awaited = awaited
    this.#done = done
    this.#missingBytes = awaited.bytes
  }

  /** Resolves when there is enough, when the time is over, or when nobody waits any more. */
  static until(
    room: WaitingRoom,
    client: Pick<Client, 'onClosed'>,
    awaited: Awaited,
  ): Promise<void> {
    return new Promise((resolve) => {
      const wait = new FetchWait(room, awaited, resolve)
      wait.#begin(client)
    })
  }

  grown(moreBytes: number): void {
    this.#missingBytes -= moreBytes === 0 ? this.#missingBytes : moreBytes
    if (this.#missingBytes > 0 || this.#isWoken) return
    this.#isWoken = true
    waking.add(this)
  }

  /** Whether what has come is really to be told; else it waits on. */
  look(): void {
    this.#isWoken = false
    if (this.#awaited.isReady()) this.#end()
    else this.#missingBytes = 1
  }

  expire(): void {
    this.#end()
  }

  #begin(client: Pick<Client, 'onClosed'>): void {
    const { watches, deadlines, waits, isClosed } = this.#room
    if (isClosed) {
      this.#end()
      return
    }
    waits.add(this)
    for (const log of this.#awaited.logs) watches.add(log, this)
    const offClosed = client.onClosed(() => this.#end())
    this.#cancels.push(deadlines.add(this, this.#awaited.maxMs), offClosed)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#room.waits.delete(this)
    for (const log of this.#awaited.logs) this.#room.watches.remove(log, this)
    for (const cancel of this.#cancels) cancel()
    this.#done()
  }
}
