import { expect, test } from 'vitest'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { apiByKey } from '../../src/protocol/apis.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { parseVersionRange } from '../../src/protocol/version-range.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const software = { clientSoftwareName: 'apache-kafka-java', clientSoftwareVersion: '4.0.0' }

test.each([0, 1, 2, 3, 4])('what is offered is told by rising key: version %i', async (version) => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const { apiKeys } = await client.call(apiVersions, version, version < 3 ? {} : software)
  const keys = apiKeys.map(({ apiKey }) => apiKey)
  expect(keys).toEqual([...keys].sort((one, other) => one - other))
  for (const { apiKey, minVersion, maxVersion } of apiKeys) {
    const api = apiByKey(apiKey)
    expect(api).toBeDefined()
    expect(maxVersion).toBeLessThanOrEqual(parseVersionRange(api?.versions ?? '0').last)
    expect(minVersion).toBeLessThanOrEqual(maxVersion)
  }
})

test.each(['', ' x', 'x y', '-x', `${'x'.repeat(10)}\n`])(
  'a client cannot call itself %j',
  async (clientSoftwareName) => {
    await using server = await startTestServer()
    await using client = await WireClient.connect(server.port)
    const answer = await client.call(apiVersions, 3, { ...software, clientSoftwareName })
    expect(answer).toMatchObject({ errorCode: errorCodes.INVALID_REQUEST, apiKeys: [] })
    expect((await client.call(apiVersions, 3, software)).errorCode).toBe(0)
  },
)
