import { expect, test } from 'vitest'
import { describeLogDirs } from '../../src/protocol/apis/describe-log-dirs.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('partitions have their sizes in the one directory', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  const log = server.varve.log('t', 1)
  await log.append({ value: 'x'.repeat(100) })
  await using client = await WireClient.connect(server.port)
  const all = await client.call(describeLogDirs, 4, { topics: null })
  expect(all.results).toHaveLength(1)
  const none = { offsetLag: 0, isFutureKey: false }
  expect(all.results[0]).toMatchObject({
    ...{ errorCode: 0, logDir: '/data', isCordoned: false },
    topics: [
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, partitionSize: 0, ...none },
          { partitionIndex: 1, partitionSize: log.sizeBytes, ...none },
        ],
      },
    ],
  })
  expect(log.sizeBytes).toBeGreaterThan(100)
  const topics = [
    { topic: 't', partitions: [1, 9] },
    { topic: 'nope', partitions: [0] },
  ]
  const some = await client.call(describeLogDirs, 0, { topics })
  expect(some.results[0]?.topics).toMatchObject([
    { name: 't', partitions: [{ partitionIndex: 1 }] },
  ])
  expect(some.results[0]?.topics[0]?.partitions).toHaveLength(1)
})
