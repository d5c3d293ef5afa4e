import { cleanerChannels } from '@varve/cleaner'
import { expect, test } from 'vitest'
import { ListenError } from '../src/base/server-errors.ts'
import { HttpSide } from '../src/http-side.ts'
import { startTestServer } from './test-server.ts'

test('where HTTP cannot listen no server is started, and nothing goes on listening', async () => {
  await using first = await startTestServer({ ui: {}, http: { port: 0 } })
  const taken = Number(first.httpAddress?.split(':').at(-1))
  expect(HttpSide.name).toBe('HttpSide')
  await expect(startTestServer({ ui: {}, http: { port: taken } })).rejects.toThrow(ListenError)
  await first.close()
  expect(cleanerChannels.compaction.hasSubscribers).toBe(false)
})
