import { cleanerChannels } from '@varve/cleaner'
import { expect, test } from 'vitest'
import { ListenError } from '../src/base/server-errors.ts'
import { HttpSide, type ShownServer } from '../src/http-side.ts'
import { ask } from './http/http-client.ts'
import { startTestServer } from './test-server.ts'

test('where HTTP cannot listen no server is started, and nothing goes on listening', async () => {
  await using first = await startTestServer({ ui: {}, http: { port: 0 } })
  const taken = Number(first.httpAddress?.split(':').at(-1))
  expect(HttpSide.name).toBe('HttpSide')
  await expect(startTestServer({ ui: {}, http: { port: taken } })).rejects.toThrow(ListenError)
  await first.close()
  expect(cleanerChannels.compaction.hasSubscribers).toBe(false)
})

test('a server shows its listeners, and answers HTTP until it is closed', async () => {
  const server = await startTestServer({ http: { port: 0 } })
  const shown: ShownServer = server
  expect(shown.listenerFacts).toEqual([
    { name: 'PLAINTEXT', host: '127.0.0.1', port: server.port, connections: 0 },
  ])
  const address = server.httpAddress ?? ''
  expect((await ask(address, '/')).status).toBe(404)
  await server.close()
  expect(shown.isServing).toBe(false)
  await expect(ask(address, '/health')).rejects.toThrow(/ECONNREFUSED/)
})
