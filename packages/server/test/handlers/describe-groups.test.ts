import { decodeSubscription } from '@varve/broker'
import { expect, test } from 'vitest'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

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
