import { expect, test } from 'vitest'
import { deleteGroups } from '../../src/protocol/apis/delete-groups.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

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
