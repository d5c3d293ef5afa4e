import { mkdirSync } from 'node:fs'
import { open, type RootDatabase } from 'lmdb'
import type { PayloadRecord } from '../harness/payload.ts'
import { versionOf } from './installed.ts'
import type { Peer, PeerStore, Promised, RecordVisitor } from './peer.ts'

/**
 * Its own batching: every `put` of a turn goes into one transaction, committed by a thread of its
 * own, whose promise resolves when it is visible; `flushed` of that promise when it is durable. The
 * flush of one transaction overlaps with the next one (`overlappingSync`).
 */
export const lmdbPeer: Peer = {
  name: `lmdb ${versionOf('lmdb')}`,
  settings: 'put under a rising number, its own batching, separateFlushed, overlappingSync',
  promises: ['flushed', 'written'],
  async open(path, promised) {
    mkdirSync(path)
    const database = open<Buffer, number>({
      path: `${path}/data.mdb`,
      encoding: 'binary',
      keyEncoding: 'uint32',
      separateFlushed: true,
      mapSize: 2 ** 34,
    })
    return new LmdbStore(database, promised)
  },
}

class LmdbStore implements PeerStore {
  readonly #database: RootDatabase<Buffer, number>
  readonly #promised: Promised
  #next = 0

  constructor(database: RootDatabase<Buffer, number>, promised: Promised) {
    this.#database = database
    this.#promised = promised
  }

  append({ bytes }: PayloadRecord): Promise<unknown> {
    return this.#settled(this.#database.put(this.#next++, bytes))
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    let last: Promise<boolean> = Promise.resolve(true)
    for (const { bytes } of records) last = this.#database.put(this.#next++, bytes)
    return this.#settled(last)
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    for (const { value } of this.#database.getRange({ snapshot: true })) visitor.bytes(value)
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    for (const number of numbers) {
      // Valid until the next one is read, which is all that is needed here.
      const value = this.#database.getBinaryFast(number)
      if (value !== undefined) visitor.bytes(value)
    }
  }

  async close(): Promise<void> {
    await this.#database.flushed
    await this.#database.close()
  }

  #settled(put: Promise<boolean>): Promise<unknown> {
    if (this.#promised === 'written') return put
    return (put as Promise<boolean> & { readonly flushed: Promise<unknown> }).flushed
  }
}
