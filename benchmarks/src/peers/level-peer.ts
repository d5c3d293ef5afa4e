import { mkdirSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import type { PayloadRecord } from '../harness/payload.ts'
import { CallerGroups } from './caller-groups.ts'
import { versionOf } from './installed.ts'
import type { Peer, PeerStore, Promised, RecordVisitor } from './peer.ts'

type Level = ClassicLevel<Buffer, Buffer>

/**
 * Keys of eight bytes in the order of their numbers; one batch per group with `sync: true`, made by
 * the caller, so that a flush serves all that came together. A chained batch, which is six times as
 * fast as an array of operations. No compression, as nowhere else here.
 */
export const levelPeer: Peer = {
  name: `classic-level ${versionOf('classic-level')}`,
  settings: 'chained batches made by the caller, sync, no compression, writeBufferSize 32 MiB',
  promises: ['flushed', 'written'],
  async open(path, promised) {
    mkdirSync(path)
    const level: Level = new ClassicLevel(`${path}/level`, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      compression: false,
      writeBufferSize: 32 * 2 ** 20,
      cacheSize: 64 * 2 ** 20,
    })
    await level.open()
    return new LevelStore(level, promised)
  },
}

class LevelStore implements PeerStore {
  readonly #level: Level
  readonly #sync: boolean
  readonly #groups: CallerGroups
  #next = 0

  constructor(level: Level, promised: Promised) {
    this.#level = level
    this.#sync = promised === 'flushed'
    this.#groups = new CallerGroups((group) => this.#write(group))
  }

  append(record: PayloadRecord): Promise<unknown> {
    return this.#groups.append(record)
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return this.#write(records)
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    const iterator = this.#level.values({ fillCache: false, highWaterMarkBytes: 2 ** 18 })
    for (;;) {
      const values = await iterator.nextv(1_000)
      if (values.length === 0) break
      for (const value of values) visitor.bytes(value)
    }
    await iterator.close()
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    for (const number of numbers) {
      const value = this.#level.getSync(keyOf(number))
      if (value !== undefined) visitor.bytes(value)
    }
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  #write(records: readonly PayloadRecord[]): Promise<void> {
    const batch = this.#level.batch()
    for (const { bytes } of records) batch.put(keyOf(this.#next++), bytes)
    return batch.write({ sync: this.#sync })
  }
}

function keyOf(number: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  key.writeUIntBE(Math.floor(number / 2 ** 32), 0, 4)
  key.writeUInt32BE(number >>> 0, 4)
  return key
}
