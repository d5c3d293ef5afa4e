import { expect, test } from 'vitest'
import type { ApiDeclaration, Encodable } from '../../src/protocol/api-declaration.ts'
import { alterUserScramCredentials } from '../../src/protocol/apis/alter-user-scram-credentials.ts'
import { createAcls } from '../../src/protocol/apis/create-acls.ts'
import { deleteAcls } from '../../src/protocol/apis/delete-acls.ts'
import { deleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { describeUserScramCredentials } from '../../src/protocol/apis/describe-user-scram-credentials.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { offsetForLeaderEpoch } from '../../src/protocol/apis/offset-for-leader-epoch.ts'
import { produce } from '../../src/protocol/apis/produce.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { WireClient } from '../wire-client.ts'
import { WatchedServer } from './watched-server.ts'

const many = Array.from({ length: 40_000 }, (_, index) => index)

/** How often an event loop of ours turns while a request is answered. */
async function turnsDuring<Api extends ApiDeclaration>(
  api: Api,
  version: number,
  request: Encodable<Api['request']>,
): Promise<number> {
  await using watched = await WatchedServer.start({ autoCreateTopics: false })
  await using client = await WireClient.connect(watched.port)
  let turns = 0
  client.send(api, version, request)
  const counting = setInterval(() => turns++, 1)
  expect(await client.next(), api.name).not.toBeNull()
  clearInterval(counting)
  expect(watched.unforeseen).toEqual([])
  return turns
}

test('requests with much in them are answered in turns', async () => {
  const noRecords = Buffer.alloc(0)
  const turns = [
    await turnsDuring(metadata, 9, { topics: many.map((each) => ({ name: `t${each}` })) }),
    await turnsDuring(produce, 9, {
      ...{ transactionalId: null, acks: 1, timeoutMs: 1000 },
      topicData: many.map((each) => {
        return { name: `t${each}`, partitionData: [{ index: 0, records: noRecords }] }
      }),
    }),
    await turnsDuring(fetch, 12, {
      ...{ maxWaitMs: 0, minBytes: 0, sessionId: 0, sessionEpoch: 0, forgottenTopicsData: [] },
      topics: [
        {
          topic: 't',
          partitions: many.map((partition) => {
            return { partition, fetchOffset: 0, partitionMaxBytes: 1 }
          }),
        },
      ],
    }),
    await turnsDuring(deleteRecords, 2, {
      topics: many.map((each) => {
        return { name: `t${each}`, partitions: [{ partitionIndex: 0, offset: 0 }] }
      }),
      timeoutMs: 1000,
    }),
    await turnsDuring(offsetForLeaderEpoch, 4, {
      replicaId: -1,
      topics: many.map((each) => {
        return { topic: `t${each}`, partitions: [{ partition: 0, leaderEpoch: 0 }] }
      }),
    }),
  ]
  for (const taken of turns) expect(taken).toBeGreaterThan(10)
}, 60_000)

test('users that are named by the ten thousand are not compared with each other', async () => {
  await using watched = await WatchedServer.start()
  await using client = await WireClient.connect(watched.port)
  const users = many.map((each) => ({ name: `user${each}` }))
  const described = await client.call(describeUserScramCredentials, 0, { users })
  expect(described.results).toHaveLength(many.length)
  const deletions = many.map((each) => ({ name: `user${each}`, mechanism: 1 }))
  const altered = await client.call(alterUserScramCredentials, 0, { deletions, upsertions: [] })
  expect(altered.results).toHaveLength(many.length)
  expect(await watched.slowestMs()).toBeLessThan(5000)
}, 30_000)

test('filters that match the same rules over and over are refused, and nothing is removed', async () => {
  await using watched = await WatchedServer.start({ superUsers: ['User:ANONYMOUS'] })
  await using client = await WireClient.connect(watched.port)
  const rule = { resourceType: 2, principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
  const creations = many.slice(0, 300).map((each) => {
    return { ...rule, resourceName: `t${each}`, resourcePatternType: 3 }
  })
  await client.call(createAcls, 3, { creations })
  const everything = {
    ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1 },
    ...{ principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 },
  }
  const refused = await client.call(deleteAcls, 3, { filters: many.map(() => everything) })
  expect(refused.filterResults.at(-1)).toMatchObject({
    errorCode: errorCodes.INVALID_REQUEST,
    matchingAcls: [],
  })
  const removed = await client.call(deleteAcls, 3, { filters: [everything, everything] })
  expect(removed.filterResults.map(({ matchingAcls }) => matchingAcls.length)).toEqual([300, 300])
  const left = await client.call(deleteAcls, 3, { filters: [everything] })
  expect(left.filterResults[0]?.matchingAcls).toEqual([])
  expect(await watched.slowestMs()).toBeLessThan(5000)
}, 30_000)
