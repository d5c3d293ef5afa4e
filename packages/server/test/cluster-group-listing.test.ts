import { openVarve } from '@varve/broker'
import { clusterPartsOf, describeClusterGroups } from '@varve/broker/serving'
import { expect, test, vi } from 'vitest'
import { ConsumerGroupClient } from './consumer-group-client.ts'
import { GroupClient } from './groups-client.ts'
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

test('all groups are described as each is, with few requests', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  await new ConsumerGroupClient(client, 'dealt').beat()
  await new GroupClient(client, 'shared').enter()
  const own = await server.varve.groups()
  const names = Array.from({ length: 450 }, (_, index) => `g${index}`)
  const offsets = [0, 1].map((partition) => ({ topic: 't', partition, offset: partition + 1 }))
  await Promise.all(names.map((name) => own.resetOffsets(name, offsets)))

  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const parts = clusterPartsOf(varve)
  if (parts === null) throw new Error('it is a cluster')
  const { cluster } = parts
  const groups = await varve.groups()
  const asked = vi.spyOn(cluster, 'on')
  const all = await describeClusterGroups(cluster)
  // Of three times two hundred: offsets and members; of one, those of the other protocol.
  expect(asked).toHaveBeenCalledTimes(1 + 3 * 2 + 1)
  expect(all.map(({ group }) => group)).toEqual(await groups.list())
  expect(all).toHaveLength(452)
  for (const name of ['dealt', 'shared', 'g0', 'g449']) {
    expect(all.find(({ group }) => group === name)).toEqual(await groups.describe(name))
  }
})

test('a group whose offsets are still to be decided is waited for, and no other', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 1 })
  const own = await server.varve.groups()
  const offset = { topic: 't', partition: 0, offset: 1 }
  for (const name of ['ready', 'waiting']) await own.resetOffsets(name, [offset])
  await using producer = server.varve.producer({ transactionalId: 'x' })
  const transaction = await producer.begin()
  await transaction.sendOffsets('waiting', [{ ...offset, offset: 2 }])
  await using varve = await openVarve(`kafka://${server.bootstrapServers}`)
  const parts = clusterPartsOf(varve)
  if (parts === null) throw new Error('it is a cluster')
  const byItself = vi.spyOn(parts.cluster, 'onCoordinator')
  const all = describeClusterGroups(parts.cluster)
  await vi.waitUntil(() => byItself.mock.calls.length > 0)
  await transaction.commit()
  const committed = (await all).map(({ group, offsets }) => [group, offsets[0]?.offset])
  expect(committed).toEqual([
    ['ready', 1],
    ['waiting', 2],
  ])
  expect(byItself.mock.calls.map(([, group]) => group)).not.toContain('ready')
})
