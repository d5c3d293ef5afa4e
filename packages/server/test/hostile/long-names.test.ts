import { expect, test } from 'vitest'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { WireClient } from '../wire-client.ts'
import { WatchedServer } from './watched-server.ts'

// Requests of less than a MiB that would keep the event loop for minutes, or take gigabytes.
const longName = 'x'.repeat(30_000)
const places = Array.from({ length: 5000 }, (_, index) => index)

test('many partitions of a topic with a very long name take no more than others', async () => {
  await using watched = await WatchedServer.start()
  await using client = await WireClient.connect(watched.port)
  const partitions = places.map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  const topics = [{ name: longName, partitions }]
  const listed = await client.call(listOffsets, 7, { replicaId: -1, isolationLevel: 0, topics })
  expect(listed.topics[0]?.partitions).toHaveLength(places.length)
  const wanted = places.map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 }))
  const fetched = await client.call(fetch, 12, {
    ...{ maxWaitMs: 0, minBytes: 0, sessionId: 0, sessionEpoch: 0, forgottenTopicsData: [] },
    topics: [{ topic: longName, partitions: wanted }],
  })
  expect(fetched.responses[0]?.partitions).toHaveLength(places.length)
  expect(await watched.slowestMs()).toBeLessThan(3000)
}, 20_000)

test('a request of many very long names is refused', async () => {
  await using watched = await WatchedServer.start()
  await using client = await WireClient.connect(watched.port)
  const groups = places.slice(0, 1000).map((index) => `${longName}${index}`)
  client.send(describeGroups, 5, { groups, includeAuthorizedOperations: false })
  expect(await client.next()).toBeNull()
  expect(await watched.slowestMs()).toBeLessThan(3000)
}, 20_000)
