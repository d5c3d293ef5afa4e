import { expect, test } from 'vitest'
import { listConfigResources } from '../../src/protocol/apis/list-config-resources.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('what has settings is listed: the broker and the topics', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const list = async (...resourceTypes: number[]) => {
    const { configResources } = await client.call(listConfigResources, 1, { resourceTypes })
    return configResources.map(({ resourceName }) => resourceName)
  }
  expect(await list()).toEqual(['1', 't'])
  expect(await list(2)).toEqual(['t'])
  expect(await list(16, 32)).toEqual([])
  const metrics = await client.call(listConfigResources, 0, { resourceTypes: [] })
  expect(metrics).toMatchObject({ errorCode: 0, configResources: [] })
  const unknown = await client.call(listConfigResources, 1, { resourceTypes: [99] })
  expect(unknown.errorCode).toBe(errorCodes.UNSUPPORTED_VERSION)
})
