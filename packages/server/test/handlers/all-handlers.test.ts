import { expect, test } from 'vitest'
import { apis } from '../../src/protocol/apis.ts'
import { parseVersionRange } from '../../src/protocol/version-range.ts'
import { servedHandlers } from '../served-handlers.ts'
import { startTestServer } from '../test-server.ts'

/** What whoever has not said who it is may ask for. */
const forStrangers = ['ApiVersions', 'SaslAuthenticate', 'SaslHandshake']

test('each API has one handler, for versions that can be read', async () => {
  await using server = await startTestServer()
  const handlers = await servedHandlers(server)
  for (const [key, { api, versions, advertised }] of handlers) {
    expect(key).toBe(api.key)
    expect(apis).toContain(api)
    const { first, last } = parseVersionRange(api.versions)
    expect(versions.first).toBeGreaterThanOrEqual(first)
    expect(versions.last).toBeLessThanOrEqual(last)
    expect(advertised.last).toBeLessThanOrEqual(versions.last)
  }
})

test('strangers are answered nothing but how to log in', async () => {
  await using server = await startTestServer()
  const handlers = await servedHandlers(server)
  const open = [...handlers.values()].filter((one) => one.isForStrangers)
  expect(open.map(({ api }) => api.name).sort()).toEqual(forStrangers)
})
