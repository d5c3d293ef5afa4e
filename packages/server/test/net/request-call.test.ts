import { ManualClock } from '@varve/log/testing'
import { expect, test, vi } from 'vitest'
import type { Client } from '../../src/base/client.ts'
import type { ConnectionContext } from '../../src/net/connection-context.ts'
import { callOf } from '../../src/net/request-call.ts'
import { RequestMemory } from '../../src/net/request-memory.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { encodeRequest } from '../../src/protocol/messages.ts'
import { openRequest } from '../../src/protocol/requests.ts'

const client = { principal: 'User:a' } as Partial<Client> as Client
const frame = Buffer.concat(
  encodeRequest(apiVersions, 0, { correlationId: 7, clientId: 'me' }, {}),
).subarray(4)

function called(isThrottling: boolean) {
  const authorizer = {
    allows: vi.fn((_client: Client, _operation, _type, name: string) => name === 'mine'),
    allowsAny: vi.fn(() => true),
  }
  const throttleOf = vi.fn(() => ({}))
  const context = {
    memory: new RequestMemory(1000),
    throttling: { isActive: isThrottling, throttleOf },
    server: { authorizer, clock: new ManualClock() },
  }
  const giveWay = () => Promise.resolve()
  const call = callOf(
    ...([client, openRequest(frame), context as unknown as ConnectionContext, giveWay] as const),
  )
  return { call, authorizer, throttleOf }
}

test('it says what was asked, and by whom', () => {
  const { call } = called(false)
  expect(call).toMatchObject({ version: 0, correlationId: 7, clientId: 'me', client })
  expect(call.answerMemory(100).length).toBeGreaterThanOrEqual(100)
})

test('what the client may do is asked in its name', () => {
  const { call, authorizer } = called(false)
  expect([call.may('read', 'topic', 'mine'), call.may('read', 'topic', 'other')]).toEqual([
    true,
    false,
  ])
  expect(call.mayAny('write', 'topic')).toBe(true)
  expect(authorizer.allows).toHaveBeenCalledWith(client, 'read', 'topic', 'other')
  expect(authorizer.allowsAny).toHaveBeenCalledWith(client, 'write', 'topic')
})

test('quotas are looked up only where there are any', () => {
  expect(called(false).call.throttle).toBeNull()
  const { call, throttleOf } = called(true)
  expect(call.throttle).not.toBeNull()
  expect(throttleOf).toHaveBeenCalledWith(client, 'me', frame.length)
})
