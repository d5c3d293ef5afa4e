import { expect, test } from 'vitest'
import type { ApiDeclaration, Encodable } from '../../src/protocol/api-declaration.ts'
import { describeConfigs } from '../../src/protocol/apis/describe-configs.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { describeLogDirs } from '../../src/protocol/apis/describe-log-dirs.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const times = 10_000
const repeated = <Named>(named: Named): Named[] => Array.from({ length: times }, () => named)

test('what a request names ten thousand times is told once', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 100 })
  await using client = await WireClient.connect(server.port)
  const sizeOf = async <Api extends ApiDeclaration>(
    api: Api,
    version: number,
    request: Encodable<Api['request']>,
  ): Promise<number> => {
    client.send(api, version, request)
    return (await client.next())?.length ?? Number.NaN
  }
  const member = new GroupClient(client)
  await member.commit(0, 4, 9, 'x'.repeat(4000))
  await member.enter()
  await member.syncAlone()
  const topic = { resourceType: 2, resourceName: 't', configurationKeys: null }
  const partition = { name: 't', partitionIndexes: repeated(0) }
  const places = { topic: 't', partitions: [0, 1] }
  const sizes = [
    await sizeOf(metadata, 9, { topics: repeated({ name: 't' }) }),
    await sizeOf(describeConfigs, 4, { resources: repeated(topic), includeDocumentation: true }),
    await sizeOf(describeGroups, 5, { groups: repeated('g') }),
    await sizeOf(describeLogDirs, 4, { topics: repeated(places) }),
    await sizeOf(offsetFetch, 8, { groups: repeated({ groupId: 'g', topics: null }) }),
    await sizeOf(offsetFetch, 8, { groups: [{ groupId: 'g', topics: [partition] }] }),
    await sizeOf(offsetFetch, 5, {
      groupId: 'g',
      topics: [partition, ...repeated(partition).slice(0, 9)],
    }),
  ]
  // Groups are answered as often as they are named, with what is told of them said once.
  for (const size of sizes) expect(size).toBeLessThan(120_000)
})
