import { createClient, RESP_TYPES } from 'redis'
import type { PayloadRecord } from '../../harness/payload.ts'
import { versionOf } from '../installed.ts'
import type { Peer, PeerStore, RecordVisitor } from '../peer.ts'
import type { BrokerProcess } from './broker-process.ts'

type Client = ReturnType<typeof createClient>
type Entry = readonly [id: Buffer, fields: readonly [Buffer, Buffer]]

const readAtOnce = 1_000

/**
 * One stream a store, one entry with one field a record. The client sends what is asked in one turn
 * together; the server answers when its append-only file is written, and with `always` flushed,
 * which it does once for all that had arrived.
 */
export function redisPeer({ port, version, settings }: BrokerProcess): Peer {
  let streams = 0
  return {
    name: `Redis Streams ${version} (client ${versionOf('redis')})`,
    settings: `XADD, pipelined by its client; ${settings.join(', ')}`,
    promises: ['flushed', 'written'],
    async open(_path, promised) {
      const client = createClient({
        url: `redis://127.0.0.1:${port}`,
        // By default each command has a timer of its own, which costs more than the command.
        commandOptions: { timeout: 0 },
      })
      await client.connect()
      await client.configSet('appendfsync', promised === 'flushed' ? 'always' : 'no')
      streams += 1
      return new RedisStore(client as Client, `bench-${promised}-${streams}`)
    },
  }
}

class RedisStore implements PeerStore {
  readonly #client: Client
  readonly #stream: string

  constructor(client: Client, stream: string) {
    this.#client = client
    this.#stream = stream
  }

  append({ bytes }: PayloadRecord): Promise<unknown> {
    return this.#client.sendCommand(['XADD', this.#stream, '*', 'r', bytes])
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return Promise.all(records.map((record) => this.append(record)))
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    const client = this.#client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    for (let from = '-'; ; ) {
      const command = ['XRANGE', this.#stream, from, '+', 'COUNT', String(readAtOnce)]
      const entries = (await client.sendCommand(command)) as unknown as readonly Entry[]
      for (const [, [, record]] of entries) visitor.bytes(record)
      const last = entries.at(-1)
      if (last === undefined || entries.length < readAtOnce) return
      from = `(${last[0].toString('latin1')}`
    }
  }

  readEach(): Promise<void> {
    return Promise.reject(new Error('a stream has no numbers to read by'))
  }

  async close(): Promise<void> {
    await this.#client.del(this.#stream)
    this.#client.destroy()
  }
}
