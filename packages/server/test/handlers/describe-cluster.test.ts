import { expect, test } from 'vitest'
import { describeCluster } from '../../src/protocol/apis/describe-cluster.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('the cluster is one broker, at the address that it is reached by', async () => {
  await using server = await startTestServer({ nodeId: 5 })
  await using client = await WireClient.connect(server.port)
  const address = { host: '127.0.0.1', port: server.port }
  expect(await client.call(describeCluster, 2, {})).toMatchObject({
    ...{ errorCode: 0, controllerId: 5, endpointType: 1 },
    brokers: [{ brokerId: 5, ...address, rack: null, isFenced: false }],
    clusterAuthorizedOperations: -(2 ** 31),
  })
  const includeClusterAuthorizedOperations = true
  const asked = await client.call(describeCluster, 0, { includeClusterAuthorizedOperations })
  expect(asked.clusterAuthorizedOperations).toBe(0b1111110100000)
  const controller = await client.call(describeCluster, 1, { endpointType: 2 })
  expect(controller.errorCode).toBe(errorCodes.MISMATCHED_ENDPOINT_TYPE)
  const unknown = await client.call(describeCluster, 1, { endpointType: 9 })
  expect(unknown.errorCode).toBe(errorCodes.UNSUPPORTED_ENDPOINT_TYPE)
})
