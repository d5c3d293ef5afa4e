import { mkdirSync } from 'node:fs'
import type { PayloadRecord } from '../harness/payload.ts'
import { CallerGroups } from './caller-groups.ts'
import { requireUntyped, versionOf } from './installed.ts'
import type { Peer, PeerStore, RecordVisitor } from './peer.ts'

type Callback<Result> = (error: Error | null, result: Result) => void

interface AppendOnlyLog {
  append(records: readonly Buffer[], callback: Callback<number>): void
  appendTransaction(records: readonly Buffer[], callback: Callback<readonly number[]>): void
  onDrain(callback: () => void): void
  get(offset: number, callback: Callback<Buffer>): void
  stream(options: { readonly offsets: boolean }): {
    pipe(sink: { paused: boolean; write(record: Buffer): void; end(error?: Error): void }): void
  }
  close(callback: () => void): void
}

const openAppendOnlyLog = requireUntyped('async-append-only-log') as (
  path: string,
  options: { readonly writeTimeout: number },
) => AppendOnlyLog

/**
 * An append is in memory when it is acknowledged; `onDrain` says when all of it was written and
 * flushed. One drain at a time, for one that is asked for while a block is being written is told
 * when that write ends, its own records not being in it. It waits for a pause of `writeTimeout`
 * before it writes: 1 ms, the least it takes, instead of 250.
 */
export const appendOnlyLogPeer: Peer = {
  name: `async-append-only-log ${versionOf('async-append-only-log')}`,
  settings: 'a drain for what the caller groups, writeTimeout 1 ms',
  promises: ['flushed'],
  async open(path) {
    mkdirSync(path)
    return new AppendOnlyStore(openAppendOnlyLog(`${path}/log.bipf`, { writeTimeout: 1 }))
  },
}

class AppendOnlyStore implements PeerStore {
  readonly #log: AppendOnlyLog
  readonly #groups: CallerGroups
  /** Records are found by their place only; whoever wants numbers has to keep their places. */
  readonly #places: number[] = []

  constructor(log: AppendOnlyLog) {
    this.#log = log
    this.#groups = new CallerGroups((group) => this.#write(group))
  }

  append(record: PayloadRecord): Promise<unknown> {
    return this.#groups.append(record)
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return this.#write(records)
  }

  readAll(visitor: RecordVisitor): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#log.stream({ offsets: false }).pipe({
        paused: false,
        write: (record) => visitor.bytes(record),
        end: (error) => (error instanceof Error ? reject(error) : resolve()),
      })
    })
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    for (const number of numbers) {
      const place = this.#places[number] ?? -1
      await new Promise<void>((resolve, reject) => {
        this.#log.get(place, (error, record) => {
          if (error !== null) return reject(error)
          visitor.bytes(record)
          resolve()
        })
      })
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#log.close(() => resolve()))
  }

  #write(records: readonly PayloadRecord[]): Promise<void> {
    for (const { bytes } of records) {
      this.#log.append([bytes], (error, place) => {
        if (error !== null) throw error
        this.#places.push(place)
      })
    }
    return new Promise((resolve) => this.#log.onDrain(resolve))
  }
}
