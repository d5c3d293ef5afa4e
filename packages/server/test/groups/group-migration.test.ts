import { expect, test } from 'vitest'
import { consumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import { listGroups } from '../../src/protocol/apis/list-groups.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { ConsumerGroupClient } from '../consumer-group-client.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const options = { groupInitialRebalanceDelayMs: 0, groupConsumerAssignmentIntervalMs: 0 }

async function membersOf(client: WireClient) {
  const { groups } = await client.call(consumerGroupDescribe, 1, { groupIds: ['g'] })
  return groups[0]?.members.map(({ memberType }) => memberType).sort()
}

async function typeOf(client: WireClient) {
  const { groups } = await client.call(listGroups, 5, { statesFilter: [], typesFilter: [] })
  return groups.find(({ groupId }) => groupId === 'g')?.groupType
}

/** As a client that is told to join again does. */
async function go(member: GroupClient): Promise<void> {
  if ((await member.beat()) === errorCodes.NONE) return
  await member.join()
  await member.share()
}

test('a group goes over to the consumer protocol and back while it has members', async () => {
  await using server = await startTestServer(options)
  await server.varve.createTopic('t', { partitions: 4 })
  await using client = await WireClient.connect(server.port)
  const old = new GroupClient(client)
  await old.enter()
  expect(await old.share([0, 1, 2, 3])).toBe(errorCodes.NONE)
  const fresh = new ConsumerGroupClient(client)
  expect((await fresh.beat()).errorCode).toBe(errorCodes.NONE)
  expect(fresh.partitions).toEqual([])
  expect(await typeOf(client)).toBe('consumer')
  expect(await membersOf(client)).toEqual([0, 1])
  // A member of the classic protocol commits in whatever version.
  expect(await old.commit(0, 5, 8)).toBe(errorCodes.NONE)
  await ConsumerGroupClient.until([fresh, { beat: () => go(old) } as never], () => {
    return fresh.partitions.length === 2 && old.owned.length === 2
  })
  expect([...fresh.partitions, ...old.owned].sort()).toEqual([0, 1, 2, 3])
  expect(await fresh.commit(fresh.partitions[0] ?? -1, 1, fresh.epoch, 8)).toBe(
    errorCodes.UNSUPPORTED_VERSION,
  )
  await fresh.leave()
  expect(await typeOf(client)).toBe('classic')
  expect(await old.beat()).toBe(errorCodes.REBALANCE_IN_PROGRESS)
  expect((await old.join()).leader).toBe(old.memberId)
  await old.share([0, 1, 2, 3])
  expect((await old.committed(0))?.committedOffset).toBe(5)
})

test('a consumer of the process goes on in a group that others change', async () => {
  await using server = await startTestServer(options)
  await server.varve.createTopic('t', { partitions: 4 })
  const consumer = server.varve.consumer({ group: 'g', topics: ['t'] })
  await consumer.start()
  await using client = await WireClient.connect(server.port)
  const fresh = new ConsumerGroupClient(client)
  await ConsumerGroupClient.until([fresh], () => fresh.partitions.length === 2)
  expect(consumer.partitions).toHaveLength(2)
  expect(await membersOf(client)).toEqual([0, 1])
  await fresh.leave()
  await expect.poll(() => consumer.partitions.length).toBe(4)
  expect(await typeOf(client)).toBe('classic')
  await consumer.close()
})

test('where the policy forbids it each is refused as by Kafka', async () => {
  await using server = await startTestServer({
    ...{ ...options, groupConsumerMigrationPolicy: 'disabled' },
  })
  await server.varve.createTopic('t', { partitions: 4 })
  await using client = await WireClient.connect(server.port)
  const old = new GroupClient(client)
  await old.enter()
  await old.share([0, 1, 2, 3])
  const fresh = new ConsumerGroupClient(client)
  const refused = await fresh.beat()
  expect(refused.errorCode).toBe(errorCodes.GROUP_ID_NOT_FOUND)
  expect(refused.errorMessage).toContain('online upgrade is disabled')
  expect(await old.beat()).toBe(errorCodes.NONE)
  await old.leave()
  expect((await fresh.beat()).errorCode).toBe(errorCodes.NONE)
  const late = new GroupClient(client)
  expect((await late.enter()).errorCode).toBe(errorCodes.INCONSISTENT_GROUP_PROTOCOL)
})
