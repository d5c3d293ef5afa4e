import { DirectoryVarve } from '@varve/broker'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import type { Server } from '../../src/server.ts'
import { ConsumerGroupClient } from '../consumer-group-client.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const quick = { groupConsumerAssignmentIntervalMs: 0 }

test.each([0, 1])('two members share, and one is left with all: version %i', async (version) => {
  await using server = await startTestServer(quick)
  await server.varve.createTopic('t', { partitions: 4 })
  await using one = await WireClient.connect(server.port)
  await using two = await WireClient.connect(server.port)
  const [a, b] = [new ConsumerGroupClient(one), new ConsumerGroupClient(two)]
  expect(await a.beat({}, version)).toMatchObject({ errorCode: 0, heartbeatIntervalMs: 5_000 })
  expect(a.partitions).toEqual([0, 1, 2, 3])
  await b.beat({}, version)
  await ConsumerGroupClient.until([a, b], () => b.partitions.length === 2)
  expect([...a.partitions, ...b.partitions].sort()).toEqual([0, 1, 2, 3])
  expect(await b.leave()).toMatchObject({ errorCode: 0, memberEpoch: -1 })
  await ConsumerGroupClient.until([a], () => a.partitions.length === 4)
  expect(await b.beat()).toMatchObject({ errorCode: errorCodes.UNKNOWN_MEMBER_ID })
})

test('in version 0 the server gives an id', async () => {
  await using server = await startTestServer(quick)
  await server.varve.createTopic('t', { partitions: 1 })
  await using client = await WireClient.connect(server.port)
  const joined = await new ConsumerGroupClient(client).beat({ memberId: '' }, 0)
  expect(joined.memberId).toMatch(/^[\w-]{22}$/)
})

test.each([
  [{ memberId: '' }, errorCodes.INVALID_REQUEST, "MemberId can't be empty."],
  [{ groupId: '' }, errorCodes.INVALID_REQUEST, "GroupId can't be empty."],
  [{ instanceId: '' }, errorCodes.INVALID_REQUEST, "InstanceId can't be empty."],
  [{ rackId: '' }, errorCodes.INVALID_REQUEST, "RackId can't be empty."],
  [{ rebalanceTimeoutMs: -1 }, errorCodes.INVALID_REQUEST, 'RebalanceTimeoutMs must be provided'],
  [{ topicPartitions: null }, errorCodes.INVALID_REQUEST, 'TopicPartitions must be empty'],
  [{ subscribedTopicNames: null }, errorCodes.INVALID_REQUEST, 'Either SubscribedTopicNames'],
  [{ memberEpoch: -3 }, errorCodes.INVALID_REQUEST, 'MemberEpoch is invalid.'],
  [{ memberEpoch: -2 }, errorCodes.INVALID_REQUEST, "InstanceId can't be null."],
  [{ memberEpoch: -1 }, errorCodes.GROUP_ID_NOT_FOUND, 'none of this name'],
  [{ memberEpoch: 1 }, errorCodes.GROUP_ID_NOT_FOUND, 'none of this name'],
  [{ serverAssignor: 'own' }, errorCodes.UNSUPPORTED_ASSIGNOR, 'ServerAssignor own is not'],
  [{ subscribedTopicRegex: '(' }, errorCodes.INVALID_REGULAR_EXPRESSION, 'not a valid regular'],
])('%j is refused as Kafka refuses it', async (said, errorCode, message) => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const answer = await new ConsumerGroupClient(client).beat(said)
  expect(answer).toMatchObject({ errorCode, errorMessage: expect.stringContaining(message) })
})

test('offsets are committed and told by a member’s epoch', async () => {
  await using server = await startTestServer(quick)
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const member = new ConsumerGroupClient(client)
  await member.beat()
  expect(await member.commit(0, 5)).toBe(errorCodes.NONE)
  expect(await member.fetch(0)).toBe(5)
  expect(await member.commit(0, 6, member.epoch + 1)).toBe(errorCodes.STALE_MEMBER_EPOCH)
  expect(await member.commit(0, 6, member.epoch - 1)).toBe(errorCodes.STALE_MEMBER_EPOCH)
  expect(await member.commit(0, 6, -1)).toBe(errorCodes.STALE_MEMBER_EPOCH)
  expect(await member.commit(0, 6, member.epoch, 8)).toBe(errorCodes.UNSUPPORTED_VERSION)
  const stale = { errorCode: errorCodes.STALE_MEMBER_EPOCH }
  expect(await member.fetch(0, member.epoch + 1)).toEqual(stale)
  const unknown = { errorCode: errorCodes.UNKNOWN_MEMBER_ID }
  expect(await member.fetch(0, member.epoch, 'x')).toEqual(unknown)
  // What it has had since an older epoch it may commit with that.
  const { epoch } = member
  await addPartition(server)
  await member.beat()
  expect(member.epoch).toBe(epoch + 1)
  expect(await member.commit(0, 7, epoch)).toBe(errorCodes.NONE)
  expect(await member.commit(2, 7, epoch)).toBe(errorCodes.STALE_MEMBER_EPOCH)
  expect(await member.commit(2, 7)).toBe(errorCodes.NONE)
})

async function addPartition(server: Server): Promise<void> {
  const { varve } = server
  if (!(varve instanceof DirectoryVarve)) throw new Error('the server has no data directory')
  await varve.addPartitions('t', 3)
}

test('a group may be kept from changing its protocol while it has members', async () => {
  const groupConsumerMigrationPolicy = 'disabled'
  await using server = await startTestServer({ ...quick, groupConsumerMigrationPolicy })
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const classic = new GroupClient(client)
  await classic.enter()
  await classic.syncAlone()
  const member = new ConsumerGroupClient(client)
  expect(await member.beat()).toMatchObject({ errorCode: errorCodes.GROUP_ID_NOT_FOUND })
  expect(await classic.beat()).toBe(errorCodes.NONE)
  expect(await classic.leave()).toBe(errorCodes.NONE)
  expect(await member.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2 })
  expect(await member.commit(1, 9)).toBe(errorCodes.NONE)
  const late = new GroupClient(client)
  expect((await late.enter()).errorCode).toBe(errorCodes.INCONSISTENT_GROUP_PROTOCOL)
  expect(await late.beat()).toBe(errorCodes.UNKNOWN_MEMBER_ID)
  await member.leave()
  expect(await late.enter()).toMatchObject({ errorCode: 0, generationId: 1 })
  await late.syncAlone()
  expect(await late.leave()).toBe(errorCodes.NONE)
  const again = new ConsumerGroupClient(client)
  expect(await again.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2 })
  expect(await again.fetch(1)).toBe(9)
})

test('after a restart members go on where they were', async () => {
  const fs = new SimulatedFileSystem()
  const members: ConsumerGroupClient[] = []
  let told: readonly number[] = []
  {
    await using server = await startTestServer(quick, fs)
    await server.varve.createTopic('t', { partitions: 3 })
    await using client = await WireClient.connect(server.port)
    const member = new ConsumerGroupClient(client, 'g', 'one')
    await member.beat()
    told = member.partitions
    members.push(member)
  }
  const [before] = members
  await using server = await startTestServer(quick, fs)
  await using client = await WireClient.connect(server.port)
  const member = Object.assign(new ConsumerGroupClient(client, 'g', 'one'), {
    ...{ memberId: before?.memberId, epoch: before?.epoch, owned: before?.owned },
  })
  expect(await member.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2, assignment: null })
  expect(told).toEqual([0, 1, 2])
  await member.leave(-2)
  const back = new ConsumerGroupClient(client, 'g', 'one')
  await back.beat()
  expect(back.partitions).toEqual([0, 1, 2])
})

test('a regular expression is resolved by what the member may see', async () => {
  await using server = await startTestServer(quick)
  for (const name of ['orders', 'orders-eu', 'bills']) {
    await server.varve.createTopic(name, { partitions: 1 })
  }
  await using client = await WireClient.connect(server.port)
  const member = new ConsumerGroupClient(client)
  await member.beat({ subscribedTopicNames: null, subscribedTopicRegex: 'orders.*' })
  await ConsumerGroupClient.until([member], () => member.partitions.length === 2)
  expect(member.owned).toHaveLength(2)
})
