import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('who joins is told its id, leads alone, and learns of its generation', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  const first = await member.join()
  expect(first).toMatchObject({
    ...{ errorCode: errorCodes.MEMBER_ID_REQUIRED, generationId: -1, protocolName: null },
    ...{ leader: '', members: [] },
  })
  expect(first.memberId).toMatch(/^test-[0-9a-f-]{36}$/)
  const joined = await member.join()
  expect(joined).toMatchObject({
    ...{ errorCode: 0, generationId: 1, protocolType: 'consumer', protocolName: 'range' },
    ...{ leader: first.memberId, memberId: first.memberId, skipAssignment: false },
  })
  expect(joined.members).toMatchObject([{ memberId: first.memberId, groupInstanceId: null }])
  await member.syncAlone()
  expect(await member.beat()).toBe(errorCodes.NONE)
})

test.each([0, 1, 2, 3])('before version 4 nobody is told its id first (%i)', async (version) => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const joined = await new GroupClient(client).join(version)
  expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range' })
  expect(joined.memberId).toBe(joined.leader)
})

test('two members take part in a rebalance, and the leader divides', async () => {
  await using server = await startTestServer()
  await using one = await WireClient.connect(server.port)
  await using two = await WireClient.connect(server.port)
  const [a, b] = [new GroupClient(one), new GroupClient(two)]
  await a.enter()
  await a.syncAlone()
  const entering = b.enter()
  while ((await a.beat()) === errorCodes.NONE);
  expect(await a.beat()).toBe(errorCodes.REBALANCE_IN_PROGRESS)
  const again = await a.join()
  const entered = await entering
  expect([again.generationId, entered.generationId]).toEqual([2, 2])
  expect([again.members.length, entered.members.length]).toEqual([2, 0])
  const parts = new Map([
    [a.memberId, 'one'],
    [b.memberId, 'other'],
  ])
  const [synced, other] = await Promise.all([a.sync(parts), b.sync()])
  expect([String(synced.assignment), String(other.assignment)]).toEqual(['one', 'other'])
  expect(other).toMatchObject({ protocolType: 'consumer', protocolName: 'range' })
  // The end of a connection is not the end of a member.
  two.socket.destroy()
  expect(await a.beat()).toBe(errorCodes.NONE)
})

test('sessions outside the limits and names that are none are refused', async () => {
  await using server = await startTestServer({ groupSessionTimeoutMsMin: 7000 })
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  for (const sessionTimeoutMs of [6999, 1_800_001, -1]) {
    member.sessionTimeoutMs = sessionTimeoutMs
    expect((await member.join()).errorCode).toBe(errorCodes.INVALID_SESSION_TIMEOUT)
  }
  const nameless = new GroupClient(client, '')
  expect((await nameless.join()).errorCode).toBe(errorCodes.INVALID_GROUP_ID)
  const stranger = new GroupClient(client)
  stranger.memberId = 'x'
  expect(await stranger.join()).toMatchObject({ errorCode: 25, memberId: 'x' })
  stranger.memberId = ''
  stranger.protocols = []
  expect((await stranger.join(6)).errorCode).toBe(errorCodes.INCONSISTENT_GROUP_PROTOCOL)
})

test('a static member is back without a rebalance, and fences who was it before', async () => {
  await using server = await startTestServer()
  await using one = await WireClient.connect(server.port)
  await using two = await WireClient.connect(server.port)
  const before = new GroupClient(one, 'g', 'i')
  expect(await before.join()).toMatchObject({ errorCode: 0, generationId: 1 })
  expect(before.memberId).toMatch(/^i-/)
  await before.syncAlone()
  const after = new GroupClient(two, 'g', 'i')
  const back = await after.join()
  expect(back).toMatchObject({ generationId: 1, skipAssignment: true, leader: after.memberId })
  expect(back.members).toHaveLength(1)
  expect(String((await after.sync()).assignment)).toBe('all')
  expect([await before.beat(), await before.commit(0, 1)]).toEqual([
    errorCodes.FENCED_INSTANCE_ID,
    errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  ])
  expect((await before.join()).errorCode).toBe(errorCodes.FENCED_INSTANCE_ID)
  // To clients that do not know of that, somebody else leads.
  const old = new GroupClient(one, 'g', 'i')
  const answer = await old.join(8)
  expect([answer.errorCode, answer.members.length]).toEqual([0, 0])
  expect(answer.leader).not.toBe(answer.memberId)
})

test('a group that was empty waits for more members, as the server is told', async () => {
  const clock = new ManualClock()
  await using server = await startTestServer({
    groupInitialRebalanceDelayMs: 3000,
    directoryOptions: { clock },
  })
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.join()
  let isIn = false
  const joining = member.join().then(() => {
    isIn = true
  })
  await new Promise((resolve) => setTimeout(resolve, 30))
  clock.advance(2999)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(isIn).toBe(false)
  clock.advance(1)
  await joining
  expect(member.generation).toBe(1)
})

test('a server that closes lets those who wait for others go at once, to come again', async () => {
  const server = await startTestServer()
  await using one = await WireClient.connect(server.port)
  await using two = await WireClient.connect(server.port)
  const [a, b] = [new GroupClient(one), new GroupClient(two)]
  await a.enter()
  await a.syncAlone()
  const entering = b.enter()
  while ((await a.beat()) === errorCodes.NONE);
  const began = performance.now()
  await server.close()
  expect((await entering).errorCode).toBe(errorCodes.NOT_COORDINATOR)
  expect(performance.now() - began).toBeLessThan(2000)
})

test('a group has no more members than it may, and those that it has may come again', async () => {
  await using server = await startTestServer({ groupSizeMax: 1 })
  await using one = await WireClient.connect(server.port)
  await using two = await WireClient.connect(server.port)
  const [a, b] = [new GroupClient(one), new GroupClient(two)]
  await a.enter()
  await a.syncAlone()
  expect((await b.join()).errorCode).toBe(errorCodes.GROUP_MAX_SIZE_REACHED)
  expect((await a.join()).errorCode).toBe(errorCodes.NONE)
})
