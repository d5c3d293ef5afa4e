import { expect, test } from 'vitest'
import { syncGroup } from '../../src/protocol/apis/sync-group.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('from version 5 on a member says what it believes the group to be', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.enter()
  const { memberId, generation: generationId } = member
  const request = { groupId: 'g', generationId, memberId, assignments: [] }
  const beliefs = [
    {},
    { protocolType: 'consumer' },
    { protocolType: 'connect', protocolName: 'range' },
    { protocolType: 'consumer', protocolName: 'sticky' },
    { protocolType: 'consumer', protocolName: 'range' },
  ]
  const codes: number[] = []
  for (const belief of beliefs) {
    codes.push((await client.call(syncGroup, 5, { ...request, ...belief })).errorCode)
  }
  expect(codes).toEqual([23, 23, 23, 23, 0])
  expect((await client.call(syncGroup, 0, request)).errorCode).toBe(errorCodes.NONE)
})

test('members that the leader leaves out get nothing, and strangers are refused', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.enter()
  expect(await member.sync()).toMatchObject({ errorCode: 0, protocolName: 'range' })
  expect((await member.sync()).assignment).toHaveLength(0)
  member.generation = 7
  expect((await member.sync()).errorCode).toBe(errorCodes.ILLEGAL_GENERATION)
  member.memberId = 'x'
  expect((await member.sync()).errorCode).toBe(errorCodes.UNKNOWN_MEMBER_ID)
})
