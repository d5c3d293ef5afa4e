import { openVarve } from '@varve/broker'
import { afterAll, beforeAll } from 'vitest'
import { varveContract } from '../../broker/test/contract/varve-contract.ts'
import { type Server, startServer } from '../src/server.ts'

// What a directory and a cluster of Apache Kafka keep alike, kept by a directory that is served:
// the library's third home, through the client that it speaks to clusters with.

let server: Server | null = null

beforeAll(async () => {
  server = await startServer({ memory: true, port: 0, groupInitialRebalanceDelayMs: 0 })
})
afterAll(async () => {
  await server?.close()
})

const cluster = { heartbeatIntervalMs: 300 }
varveContract('a directory that is served', {
  open: () => openVarve(`kafka://${server?.bootstrapServers ?? ''}`, { cluster }),
})
