import { expect, test } from 'vitest'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('who is no member, or of another generation, is told so', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const stranger = new GroupClient(client)
  expect(await stranger.beat()).toBe(errorCodes.UNKNOWN_MEMBER_ID)
  const nameless = new GroupClient(client, '')
  expect(await nameless.beat()).toBe(errorCodes.INVALID_GROUP_ID)
  const member = new GroupClient(client)
  await member.enter()
  // A member may speak while it waits for the leader's word.
  expect(await member.beat()).toBe(errorCodes.NONE)
  await member.syncAlone()
  member.generation = 2
  expect(await member.beat()).toBe(errorCodes.ILLEGAL_GENERATION)
})

test.each([0, 3])('a heartbeat is answered in version %i', async (version) => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.enter()
  const { memberId, generation: generationId } = member
  const answer = await client.call(heartbeat, version, { groupId: 'g', generationId, memberId })
  expect(answer.errorCode).toBe(errorCodes.NONE)
})
