import type { PayloadRecord } from '../harness/payload.ts'
import { CallerGroups } from './caller-groups.ts'
import { requireUntyped, versionOf } from './installed.ts'
import type { Peer, PeerStore, RecordVisitor } from './peer.ts'

interface Hypercore {
  ready(): Promise<void>
  append(blocks: readonly Uint8Array[]): Promise<unknown>
  get(index: number): Promise<Buffer>
  createReadStream(): AsyncIterable<Buffer>
  close(): Promise<void>
}

const Hypercore = requireUntyped('hypercore') as new (path: string) => Hypercore

/**
 * Blocks appended as arrays, which are signed once: that is what makes it fast, so the caller
 * groups. An append is in RocksDB's log when it resolves, which nothing flushes: there is no
 * setting for it.
 */
export const hypercorePeer: Peer = {
  name: `hypercore ${versionOf('hypercore')}`,
  settings: 'arrays of blocks, signed together, for what the caller groups',
  promises: ['written'],
  async open(path) {
    const core = new Hypercore(path)
    await core.ready()
    return new HypercoreStore(core)
  },
}

class HypercoreStore implements PeerStore {
  readonly #core: Hypercore
  readonly #groups: CallerGroups

  constructor(core: Hypercore) {
    this.#core = core
    this.#groups = new CallerGroups((group) => this.#write(group))
  }

  append(record: PayloadRecord): Promise<unknown> {
    return this.#groups.append(record)
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return this.#write(records)
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    for await (const block of this.#core.createReadStream()) visitor.bytes(block)
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    for (const number of numbers) visitor.bytes(await this.#core.get(number))
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  async #write(records: readonly PayloadRecord[]): Promise<void> {
    await this.#core.append(records.map(({ bytes }) => bytes))
  }
}
