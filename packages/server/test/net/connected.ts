import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { silentLogger } from '@varve/broker/serving'
import { systemClock } from '@varve/log'
import type { ApiHandler } from '../../src/base/api-handler.ts'
import type { ServerContext } from '../../src/base/server-context.ts'
import { resolveServerOptions } from '../../src/base/server-options.ts'
import { Complaints } from '../../src/net/complaints.ts'
import { Connection } from '../../src/net/connection.ts'
import { RequestMemory } from '../../src/net/request-memory.ts'
import { SlowClients } from '../../src/net/slow-clients.ts'
import { WireClient } from '../wire-client.ts'

export interface Connected {
  readonly client: WireClient
  readonly connection: Connection
  readonly memory: RequestMemory
  readonly slowClients: SlowClients
  end(): Promise<void>
}

/** A connection whose requests these handlers answer, and the client at its other end. */
export async function connected(...handlers: readonly ApiHandler[]): Promise<Connected> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const accepted = once(server, 'connection')
  const client = await WireClient.connect(port)
  const [socket] = (await accepted) as [Socket]
  const options = resolveServerOptions({})
  const memory = new RequestMemory(options.queuedRequestBytesMax)
  const authorizer = { allows: () => true, allowsAny: () => true }
  const context = { options, authorizer, clock: systemClock, logger: silentLogger }
  const slowClients = new SlowClients(options.limits, systemClock)
  const throttling = { isActive: false, throttleOf: () => null, admitsConnection: () => true }
  const admitted = { settle: () => undefined, leave: () => undefined }
  const connection = new Connection(
    socket,
    { connectionId: 1, host: '127.0.0.1', admitted, certified: null },
    {
      server: context as Partial<ServerContext> as ServerContext,
      handlers: new Map(handlers.map((each) => [each.api.key, each])),
      ...{ memory, slowClients, newLogin: null, throttling },
      complaints: new Complaints(silentLogger, systemClock),
      ...{ listenerName: 'PLAINTEXT', advertised: { host: '127.0.0.1', port } },
    },
  )
  const end = async (): Promise<void> => {
    await client[Symbol.asyncDispose]()
    connection.destroy()
    slowClients.stop()
    server.close()
  }
  return { client, connection, memory, slowClients, end }
}
