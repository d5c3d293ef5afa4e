import { expect, test } from 'vitest'
import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('a member commits, and what it noted comes back', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  await member.enter()
  expect(await member.commit(0, 5)).toBe(errorCodes.REBALANCE_IN_PROGRESS)
  await member.syncAlone()
  expect(await member.commit(0, 5, 9, 'mine')).toBe(errorCodes.NONE)
  expect(await member.committed(0)).toEqual({
    ...{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 3 },
    ...{ metadata: 'mine', errorCode: 0 },
  })
  expect(await member.committed(1)).toMatchObject({ committedOffset: -1, metadata: '' })
  expect(await member.commit(0, 6, 2)).toBe(errorCodes.NONE)
  expect((await member.committed(0))?.committedLeaderEpoch).toBe(-1)
})

test('each partition that cannot be committed says why, and the others are committed', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const commit = (partitionIndex: number, committedOffset: number, committedMetadata = '') => {
    return { partitionIndex, committedOffset, committedMetadata }
  }
  const answer = await client.call(offsetCommit, 8, {
    ...{ groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '' },
    topics: [
      { name: 'other', partitions: [commit(0, 1)] },
      {
        name: 't',
        partitions: [commit(0, 1), commit(1, 1, 'x'.repeat(4097)), commit(2, 1), commit(1, -1)],
      },
    ],
  })
  const codes = answer.topics.map(({ name, partitions }) => [
    name,
    ...partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
  ])
  expect(codes).toEqual([
    ['other', [0, errorCodes.UNKNOWN_TOPIC_OR_PARTITION]],
    [
      't',
      [0, errorCodes.NONE],
      [1, errorCodes.OFFSET_METADATA_TOO_LARGE],
      [2, errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
      [1, errorCodes.OFFSET_OUT_OF_RANGE],
    ],
  ])
  expect(await new GroupClient(client).committed(0)).toMatchObject({ committedOffset: 1 })
})

test('whoever is no member commits only while nobody is one; old generations never', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const nobody = new GroupClient(client)
  expect(await nobody.commit(0, 1)).toBe(errorCodes.NONE)
  const ghost = new GroupClient(client, 'never')
  ghost.generation = 1
  expect(await ghost.commit(0, 1, 9)).toBe(errorCodes.GROUP_ID_NOT_FOUND)
  expect(await ghost.commit(0, 1, 8)).toBe(errorCodes.ILLEGAL_GENERATION)
  const member = new GroupClient(client)
  await member.enter()
  await member.syncAlone()
  expect(await nobody.commit(0, 2)).toBe(errorCodes.UNKNOWN_MEMBER_ID)
  member.generation = 7
  expect(await member.commit(0, 2)).toBe(errorCodes.ILLEGAL_GENERATION)
  member.generation = 1
  expect(await member.leave()).toBe(errorCodes.NONE)
  expect(await member.leave()).toBe(errorCodes.UNKNOWN_MEMBER_ID)
  expect(await member.commit(0, 2)).toBe(errorCodes.UNKNOWN_MEMBER_ID)
  expect((await nobody.committed(0))?.committedOffset).toBe(1)
})

test('from version 10 on topics go by their ids', async () => {
  await using server = await startTestServer()
  const { topicId } = await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const partitions = [{ partitionIndex: 0, committedOffset: 4, committedMetadata: null }]
  const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const committed = await client.call(offsetCommit, 10, {
    ...{ groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '' },
    topics: [
      { topicId, partitions },
      { topicId: unknown, partitions },
    ],
  })
  expect(committed.topics.map((each) => [each.topicId, each.partitions[0]?.errorCode])).toEqual([
    [topicId, errorCodes.NONE],
    [unknown, errorCodes.UNKNOWN_TOPIC_ID],
  ])
  const asked = [
    { groupId: 'g', topics: null },
    { groupId: 'g', topics: [{ topicId: unknown, partitionIndexes: [0] }] },
  ]
  const { groups } = await client.call(offsetFetch, 10, { groups: asked, requireStable: true })
  const found = groups.map(({ topics: [topic] }) => [topic?.topicId, topic?.partitions[0]])
  expect(found).toMatchObject([
    [topicId, { committedOffset: 4, errorCode: 0 }],
    [unknown, { committedOffset: -1, errorCode: errorCodes.UNKNOWN_TOPIC_ID }],
  ])
})

test('commits of one connection that come together are made in their order', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t')
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  const commits = Array.from({ length: 100 }, (_, offset) => member.commit(0, offset))
  expect(new Set(await Promise.all(commits))).toEqual(new Set([errorCodes.NONE]))
  expect((await member.committed(0))?.committedOffset).toBe(99)
})
