import { expect, test } from 'vitest'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('null topics stand for all of which something is committed', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 3 })
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.commit(0, 4)
  await member.commit(2, 6)
  const one = await client.call(offsetFetch, 5, { groupId: 'g', topics: null })
  const found = one.topics.map(({ name, partitions }) => [
    name,
    ...partitions.map((each) => [each.partitionIndex, each.committedOffset]),
  ])
  expect([one.errorCode, found]).toEqual([0, [['t', [0, 4], [2, 6]]]])
  const groups = ['g', 'none'].map((groupId) => ({ groupId, topics: null }))
  const several = await client.call(offsetFetch, 8, { groups })
  expect(several.groups.map(({ groupId, topics }) => [groupId, topics.length])).toEqual([
    ['g', 1],
    ['none', 0],
  ])
})

test.each([1, 2, 5, 7])('an offset is fetched in version %i', async (version) => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  await new GroupClient(client).commit(0, 4, 9, 'mine')
  const topics = [{ name: 't', partitionIndexes: [0, 7] }]
  const answer = await client.call(offsetFetch, version, { groupId: 'g', topics })
  expect(answer.topics[0]?.partitions).toMatchObject([
    { partitionIndex: 0, committedOffset: 4, metadata: 'mine', errorCode: 0 },
    { partitionIndex: 7, committedOffset: -1, metadata: '', errorCode: 0 },
  ])
  expect(answer.topics[0]?.partitions[0]?.committedLeaderEpoch).toBe(version < 5 ? -1 : 3)
})

test('an offset that a transaction may change is unstable for who asks for stable ones', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.commit(0, 4)
  const producer = server.varve.producer({ transactionalId: 'x' })
  const transaction = await producer.begin()
  await transaction.sendOffsets('g', [{ topic: 't', partition: 0, offset: 9 }])
  expect((await member.committed(0))?.committedOffset).toBe(4)
  expect(await member.committed(0, true)).toMatchObject({
    ...{ errorCode: errorCodes.UNSTABLE_OFFSET_COMMIT, committedOffset: -1 },
  })
  await transaction.commit()
  expect((await member.committed(0, true))?.committedOffset).toBe(9)
})
