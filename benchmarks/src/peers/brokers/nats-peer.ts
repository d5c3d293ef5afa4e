import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { PayloadRecord } from '../../harness/payload.ts'
import { versionOf } from '../installed.ts'
import type { Peer, PeerStore, RecordVisitor } from '../peer.ts'
import type { BrokerProcess } from './broker-process.ts'

/**
 * One stream in files a store. Each message is acknowledged by itself when it was written, and
 * flushed where the server flushes always; read by an ordered consumer, which fetches ahead.
 */
export function natsPeer({ port, version, promises, settings }: BrokerProcess): Peer {
  let streams = 0
  return {
    name: `NATS JetStream ${version} (client ${versionOf('@nats-io/jetstream')})`,
    settings: `file storage, a publish with its acknowledgement a record; ${settings.join(', ')}`,
    promises,
    async open() {
      const connection = await connect({ servers: `127.0.0.1:${port}` })
      streams += 1
      const name = `bench-${streams}`
      const manager = await jetstreamManager(connection)
      await manager.streams.add({ name, subjects: [name], storage: 'file', num_replicas: 1 })
      return new NatsStore(connection, name)
    },
  }
}

class NatsStore implements PeerStore {
  readonly #connection: NatsConnection
  readonly #client: JetStreamClient
  readonly #name: string

  constructor(connection: NatsConnection, name: string) {
    this.#connection = connection
    this.#client = jetstream(connection, { timeout: 60_000 })
    this.#name = name
  }

  append({ bytes }: PayloadRecord): Promise<unknown> {
    return this.#client.publish(this.#name, bytes)
  }

  appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return Promise.all(records.map((record) => this.append(record)))
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    const manager = await jetstreamManager(this.#connection)
    const { state } = await manager.streams.info(this.#name)
    const consumer = await this.#client.consumers.get(this.#name)
    const messages = await consumer.consume({ max_messages: 5_000 })
    for await (const message of messages) {
      visitor.bytes(message.data)
      if (message.seq === state.last_seq) break
    }
  }

  readEach(): Promise<void> {
    return Promise.reject(new Error('single messages are not what a stream is read by'))
  }

  async close(): Promise<void> {
    const manager = await jetstreamManager(this.#connection)
    await manager.streams.delete(this.#name)
    await this.#connection.close()
  }
}
