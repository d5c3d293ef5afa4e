import type { ServerOptions } from '../src/base/server-options.ts'
import type { Server } from '../src/server.ts'
import { startTestServer } from './test-server.ts'

/** A server at which the user `alice` logs in with the password `right`. */
export async function startSaslServer(options: Partial<ServerOptions> = {}): Promise<Server> {
  const { limits, ...others } = options
  const server = await startTestServer({
    listeners: [{ protocol: 'SASL_PLAINTEXT', port: 0 }],
    limits: { failedLoginDelayMs: 1, ...limits },
    ...others,
  })
  await server.security.addUser('alice', 'right', { iterations: 4096 })
  return server
}
