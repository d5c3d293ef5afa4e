import type { Server } from '../../src/server.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'
import { WireProducer, type WireVersions } from './wire-producer.ts'

/** A server with a topic `t` of two partitions, and a client of it. */
export class TransactionServer implements AsyncDisposable {
  readonly server: Server
  readonly client: WireClient

  private constructor(server: Server, client: WireClient) {
    this.server = server
    this.client = client
  }

  static async start(): Promise<TransactionServer> {
    const server = await startTestServer()
    await server.varve.createTopic('t', { partitions: 2 })
    return new TransactionServer(server, await WireClient.connect(server.port))
  }

  producer(transactionalId: string, versions: Partial<WireVersions> = {}): WireProducer {
    return new WireProducer(this.client, transactionalId, versions)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]()
    await this.server.close()
  }
}

/** What whoever was fenced is told before KIP-588, and since. */
export const fencings = [
  {
    versions: { init: 3, addPartitions: 1, addOffsets: 1, end: 1 },
    fenced: 'INVALID_PRODUCER_EPOCH',
  },
  { versions: { init: 4, addPartitions: 2, addOffsets: 2, end: 2 }, fenced: 'PRODUCER_FENCED' },
] as const
