import { expect, test } from 'vitest'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('the coordinator of everything is this broker, under the address of the listener', async () => {
  await using server = await startTestServer({ nodeId: 4 })
  await using client = await WireClient.connect(server.port)
  const here = { nodeId: 4, host: '127.0.0.1', port: server.port, errorCode: 0 }
  expect(await client.call(findCoordinator, 0, { key: 'g', coordinatorKeys: [] })).toMatchObject(
    here,
  )
  const coordinatorKeys = ['g', 'h']
  const { coordinators } = await client.call(findCoordinator, 4, { keyType: 1, coordinatorKeys })
  expect(coordinators).toMatchObject([
    { key: 'g', ...here },
    { key: 'h', ...here },
  ])
  const share = await client.call(findCoordinator, 6, { keyType: 2, coordinatorKeys: ['x'] })
  expect(share.coordinators[0]).toMatchObject({ errorCode: 42, nodeId: -1, host: '', port: -1 })
})
