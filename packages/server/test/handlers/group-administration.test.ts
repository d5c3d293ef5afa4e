import { decodeSubscription } from '@varve/broker'
import { expect, test } from 'vitest'
import { deleteGroups } from '../../src/protocol/apis/delete-groups.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { leaveGroup } from '../../src/protocol/apis/leave-group.ts'
import { listGroups } from '../../src/protocol/apis/list-groups.ts'
import { offsetDelete } from '../../src/protocol/apis/offset-delete.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
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

test('asking for groups where there are none makes no topic', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  expect((await client.call(listGroups, 5, { statesFilter: [], typesFilter: [] })).groups).toEqual(
    [],
  )
  await client.call(describeGroups, 5, { groups: ['g'] })
  await client.call(deleteGroups, 2, { groupsNames: ['g'] })
  await client.call(offsetDelete, 0, { groupId: 'g', topics: [] })
  await new GroupClient(client).committed(0)
  expect(await server.varve.listTopics({ internal: true })).toEqual([])
})

test('groups are listed by state and type', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  await new GroupClient(client, 'simple').commit(0, 1)
  const member = new GroupClient(client, 'g')
  await member.enter()
  await member.syncAlone()
  const named = async (statesFilter: string[], typesFilter: string[] = []) => {
    const { groups } = await client.call(listGroups, 5, { statesFilter, typesFilter })
    return groups.map(({ groupId }) => groupId).sort()
  }
  expect(await named([])).toEqual(['g', 'simple'])
  expect(await named(['stable'])).toEqual(['g'])
  expect(await named(['Empty', 'Dead'], ['Classic'])).toEqual(['simple'])
  expect(await named([], ['consumer'])).toEqual([])
  const { groups } = await client.call(listGroups, 5, { statesFilter: ['Stable'], typesFilter: [] })
  expect(groups).toEqual([
    { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
  ])
})

test('a group is described with its members, and what they have while it is stable', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client, 'g', 'i')
  await member.join()
  const request = { groups: ['g', 'none'], includeAuthorizedOperations: true }
  const before = await client.call(describeGroups, 5, request)
  const [completing, none] = before.groups
  expect(completing).toMatchObject({ groupState: 'CompletingRebalance', protocolData: '' })
  expect(completing?.members[0]?.memberMetadata).toHaveLength(0)
  expect(none).toMatchObject({ errorCode: 0, groupState: 'Dead', members: [] })
  await member.syncAlone()
  const [stable] = (await client.call(describeGroups, 5, request)).groups
  expect(stable).toMatchObject({
    ...{ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' },
    authorizedOperations: (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11),
  })
  const [described] = stable?.members ?? []
  expect(described).toMatchObject({
    ...{ memberId: member.memberId, groupInstanceId: 'i' },
    ...{ clientId: 'test', clientHost: '/127.0.0.1' },
  })
  expect(String(described?.memberAssignment)).toBe('all')
  expect(decodeSubscription(described?.memberMetadata ?? Buffer.alloc(0)).topics).toEqual(['t'])
  const [missing] = (await client.call(describeGroups, 6, { groups: ['none'] })).groups
  expect(missing).toMatchObject({ errorCode: errorCodes.GROUP_ID_NOT_FOUND, groupState: 'Dead' })
})

test('groups are deleted when nobody is in them', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  await new GroupClient(client, 'simple').commit(0, 1)
  const member = new GroupClient(client, 'g')
  await member.enter()
  const groupsNames = ['simple', 'g', 'none', 'none']
  const { results } = await client.call(deleteGroups, 2, { groupsNames })
  expect(results.map(({ groupId, errorCode }) => [groupId, errorCode])).toEqual([
    ['simple', errorCodes.NONE],
    ['g', errorCodes.NON_EMPTY_GROUP],
    ['none', errorCodes.GROUP_ID_NOT_FOUND],
  ])
  expect(await server.varve.groups().then((groups) => groups.list())).toEqual(['g'])
})

test('offsets are forgotten of topics that no member reads', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const forget = async (groupId: string, ...names: string[]) => {
    const topics = names.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const { errorCode, topics: answers } = await client.call(offsetDelete, 0, { groupId, topics })
    return [errorCode, ...answers.map(({ partitions }) => partitions[0]?.errorCode)]
  }
  const member = new GroupClient(client)
  await member.commit(0, 1)
  await member.commit(1, 1)
  await member.enter()
  await member.syncAlone()
  expect(await forget('g', 't', 'u')).toEqual([0, 86, 3])
  expect(await forget('none', 't')).toEqual([errorCodes.GROUP_ID_NOT_FOUND])
  member.topics = ['u']
  await member.join()
  await member.syncAlone()
  expect(await forget('g', 't')).toEqual([0, 0])
  expect((await member.committed(0))?.committedOffset).toBe(-1)
  expect((await member.committed(1))?.committedOffset).toBe(1)
})

test('one leaves or several, and each is told of itself', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client, 'g', 'i')
  await member.join()
  const identity = { memberId: member.memberId, groupInstanceId: 'i', reason: 'enough' }
  const ghost = { memberId: 'x', groupInstanceId: null, reason: null }
  const left = await client.call(leaveGroup, 5, { groupId: 'g', members: [ghost, identity] })
  expect([left.errorCode, left.members.map(({ errorCode }) => errorCode)]).toEqual([0, [25, 0]])
  const { errorCode } = await client.call(leaveGroup, 1, { groupId: 'g', memberId: 'x' })
  expect(errorCode).toBe(errorCodes.UNKNOWN_MEMBER_ID)
  const nowhere = await client.call(leaveGroup, 3, { groupId: 'none', members: [ghost] })
  expect([nowhere.errorCode, nowhere.members[0]?.errorCode]).toEqual([0, 25])
})
