import { expect, test } from 'vitest'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { consumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import { deleteGroups } from '../../src/protocol/apis/delete-groups.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { listGroups } from '../../src/protocol/apis/list-groups.ts'
import { offsetDelete } from '../../src/protocol/apis/offset-delete.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { ConsumerGroupClient } from '../consumer-group-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test.each([0, 1])('a group is described with its members: version %i', async (version) => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const member = new ConsumerGroupClient(client, 'g', 'one')
  await member.beat({ rackId: 'r' })
  const request = { groupIds: ['g', 'x'], includeAuthorizedOperations: true }
  const { groups } = await client.call(consumerGroupDescribe, version, request)
  const parts = { topicPartitions: [{ topicName: 't', partitions: [0, 1] }] }
  expect(groups).toMatchObject([
    {
      ...{ errorCode: 0, groupId: 'g', groupState: 'Stable', assignorName: 'uniform' },
      ...{ groupEpoch: 2, assignmentEpoch: 2 },
      members: [
        {
          ...{ memberId: member.memberId, instanceId: 'one', rackId: 'r', memberEpoch: 2 },
          ...{ subscribedTopicNames: ['t'], subscribedTopicRegex: '' },
          ...{ assignment: parts, targetAssignment: parts },
        },
      ],
    },
    { errorCode: errorCodes.GROUP_ID_NOT_FOUND, groupId: 'x', members: [] },
  ])
  if (version > 0) expect(groups[0]?.members[0]?.memberType).toBe(1)
})

test('who may not know of a topic is told nothing of it', async () => {
  await using server = await startTestServer({ accessWithoutAcls: 'deny' })
  for (const name of ['t', 'orders-eu', 'orders-us']) {
    await server.varve.createTopic(name, { partitions: 1 })
  }
  const rule = { principal: 'User:ANONYMOUS', host: '*', permission: 'allow' } as const
  const group = { resourceType: 'group', resourceName: '*', pattern: 'literal' } as const
  const seen = { resourceType: 'topic', resourceName: 'orders-eu', pattern: 'literal' } as const
  const reads = { ...rule, ...group, operation: 'read' } as const
  const describes = { ...rule, ...seen, operation: 'describe' } as const
  await server.security.addAcls([reads, describes])
  await using client = await WireClient.connect(server.port)
  const member = new ConsumerGroupClient(client)
  const refused = { errorCode: errorCodes.TOPIC_AUTHORIZATION_FAILED }
  expect(await member.beat()).toMatchObject(refused)
  await member.beat({ subscribedTopicNames: null, subscribedTopicRegex: 'orders.*' })
  await ConsumerGroupClient.until([member], () => member.partitions.length === 1)
  const ask = async () => (await client.call(consumerGroupDescribe, 1, { groupIds: ['g'] })).groups
  expect(await ask()).toMatchObject([{ errorCode: 0, members: [{}] }])
  await server.security.removeAcls([{ resourceType: 'topic' }])
  expect(await ask()).toMatchObject([{ ...refused, members: [] }])
})

test('to those who ask for groups of the classic protocol it is none', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 1 })
  await using client = await WireClient.connect(server.port)
  const member = new ConsumerGroupClient(client)
  await member.beat()
  const { groups } = await client.call(describeGroups, 6, { groups: ['g'] })
  expect(groups).toMatchObject([{ errorCode: errorCodes.GROUP_ID_NOT_FOUND, groupState: 'Dead' }])
  const list = async (typesFilter: readonly string[], statesFilter: readonly string[] = []) =>
    (await client.call(listGroups, 5, { typesFilter, statesFilter })).groups
  const [listed] = await list([])
  expect(listed).toMatchObject({ groupType: 'consumer', groupState: 'Stable' })
  expect(await list(['Consumer'], ['stable'])).toHaveLength(1)
  expect(await list(['classic'])).toEqual([])
  expect(await member.commit(0, 1)).toBe(0)
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }]
  const kept = await client.call(offsetDelete, 0, { groupId: 'g', topics })
  expect(kept.topics[0]?.partitions[0]?.errorCode).toBe(errorCodes.GROUP_SUBSCRIBED_TO_TOPIC)
  const remove = async () =>
    (await client.call(deleteGroups, 2, { groupsNames: ['g'] })).results[0]?.errorCode
  expect(await remove()).toBe(errorCodes.NON_EMPTY_GROUP)
  await member.leave()
  expect(await remove()).toBe(errorCodes.NONE)
  expect(await list([])).toEqual([])
})

test.each([3, 4])('the feature is told by which clients find out: version %i', async (version) => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const software = { clientSoftwareName: 'x', clientSoftwareVersion: '1' }
  const answer = await client.call(apiVersions, version, software)
  const finalized = [{ name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 }]
  expect(answer).toMatchObject({ finalizedFeaturesEpoch: 1, finalizedFeatures: finalized })
  const supported = [{ name: 'group.version', minVersion: 0, maxVersion: 1 }]
  expect(answer.supportedFeatures).toEqual(version === 4 ? supported : [])
})
