import { SimulatedFileSystem } from '@varve/log/testing'
import type { ServerOptions } from '../src/base/server-options.ts'
import { type Server, startServer } from '../src/server.ts'

/** A server of an empty directory in memory, on a port that is free. */
export function startTestServer(
  options: Omit<ServerOptions, 'data' | 'varve'> = {},
  fs: SimulatedFileSystem = new SimulatedFileSystem(),
): Promise<Server> {
  const { directoryOptions = {}, ...others } = options
  return startServer({
    ...{ data: '/data', groupInitialRebalanceDelayMs: 0 },
    ...{ ...(others.listeners === undefined && { port: 0 }), ...others },
    directoryOptions: { cleaning: false, ...directoryOptions, fs },
  })
}
