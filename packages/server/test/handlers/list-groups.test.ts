import { expect, test } from 'vitest'
import { deleteGroups } from '../../src/protocol/apis/delete-groups.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { listGroups } from '../../src/protocol/apis/list-groups.ts'
import { offsetDelete } from '../../src/protocol/apis/offset-delete.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

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
