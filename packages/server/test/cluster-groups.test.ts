import { openVarve } from '@varve/broker'
import { expect, test } from 'vitest'
import { ConsumerGroupClient } from './consumer-group-client.ts'
import { startTestServer } from './test-server.ts'
import { WireClient } from './wire-client.ts'

// What operators are told of groups by the network.

test('a group of the consumer protocol is described while it has members', async () => {
  await using server = await startTestServer({ groupConsumerAssignmentIntervalMs: 0 })
  await server.varve.createTopic('t', { partitions: 3 })
  await using client = await WireClient.connect(server.port)
  const [one, two] = [new ConsumerGroupClient(client, 'g', 'one'), new ConsumerGroupClient(client)]
  await one.beat()
  await two.beat()
  await ConsumerGroupClient.until([one, two], () => two.partitions.length > 0)
  const [partition = -1] = one.partitions
  expect(await one.commit(partition, 0)).toBe(0)
  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const groups = await varve.groups()
  const described = await groups.describe('g')
  expect(described).toMatchObject({
    ...{ group: 'g', type: 'consumer', protocolType: 'consumer', state: 'Stable' },
    ...{ protocol: 'uniform', offsets: [{ topic: 't', partition, offset: 0 }] },
  })
  const members = described.members.map(({ memberId, groupInstanceId }) => {
    return `${memberId} ${groupInstanceId}`
  })
  expect([...members].sort()).toEqual([`${one.memberId} one`, `${two.memberId} null`].sort())
  await expect(groups.describe('x')).rejects.toMatchObject({ code: 'VARVE_GROUP_NOT_FOUND' })
})
