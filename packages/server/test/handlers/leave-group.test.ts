import { expect, test } from 'vitest'
import { leaveGroup } from '../../src/protocol/apis/leave-group.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

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
