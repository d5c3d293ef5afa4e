import { expect, test } from 'vitest'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('each request gets a line where that is asked for', async () => {
  const lines: object[] = []
  const none = (): void => undefined
  const debug = (fields: object, message: string): void => {
    if (message === 'a request was answered') lines.push(fields)
  }
  const logger = { debug, info: none, warn: none, error: none }
  await using server = await startTestServer({ logger, logRequests: true })
  await using client = await WireClient.connect(server.port)
  await client.call(metadata, 5, { topics: null })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ api: 'Metadata', version: 5, principal: 'User:ANONYMOUS' })
})
