import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { ClusterStats } from '../../src/stats/cluster-stats.ts'
import { DirectoryStats } from '../../src/stats/directory-stats.ts'
import { openStats } from '../../src/stats/stats-source.ts'
import { run } from '../captured-io.ts'
import { makeGroupData, newPath } from '../group-fixture.ts'

test('a server says of itself what its directory does', async () => {
  const data = await makeGroupData()
  await using directory = await openStats({ data }, true)
  expect(directory).toBeInstanceOf(DirectoryStats)
  await using server = await startServer({ data, port: 0 })
  const local = await directory.look()
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  await using cluster = await openStats({ place }, true)
  expect(cluster).toBeInstanceOf(ClusterStats)
  expect(await cluster.look()).toEqual(local)
  const there = ['--bootstrap-server', server.bootstrapServers]
  expect((await run('stats', ...there)).out).toBe((await run('stats', '--data', data)).out)
  const { code, stdout } = await run('stats', ...there, '--json')
  expect(code).toBe(0)
  expect(stdout.documents).toMatchObject([
    {
      topics: [{ topic: 'orders', partitions: 2, records: 15, recordsPerSecond: null }],
      groups: [{ group: 'billing', lag: 7 }],
    },
  ])
})

test('sizes are not known where the cluster may not be described', async () => {
  const data = await makeGroupData()
  await using server = await startServer({ data, port: 0, accessWithoutAcls: 'deny' })
  const rule = { principal: 'User:ANONYMOUS', host: '*', permission: 'allow' } as const
  const all = { resourceName: '*', pattern: 'literal', operation: 'describe' } as const
  await server.security.addAcls([
    { ...rule, ...all, resourceType: 'topic' },
    { ...rule, ...all, resourceType: 'group' },
  ])
  const there = ['--bootstrap-server', server.bootstrapServers]
  const { code, stdout, out } = await run('stats', ...there, '--json')
  expect(code, out).toBe(0)
  expect(stdout.documents[0].topics).toMatchObject([{ topic: 'orders', sizeBytes: null }])
  expect((await run('stats', ...there)).out).toMatch(/^orders +2 +15 +-$/m)
})

test('what comes between two looks is a rate, and a topic may be new or gone', async () => {
  await using server = await startServer({ data: newPath(), port: 0 })
  const { varve } = server
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  await using source = await ClusterStats.open(place, false)
  expect(await source.look()).toEqual({ topics: [], groups: [] })
  await varve.createTopic('t', { partitions: 3 })
  await varve.producer().send('t', { value: 'x' }, { partition: 2 })
  const groups = await varve.groups()
  await groups.resetOffsets('g', [{ topic: 't', partition: 2, offset: 0 }])
  const topic = { topic: 't', partitions: 3, records: 1, end: 1, errors: [] }
  expect(await source.look()).toMatchObject({ topics: [topic], groups: [{ group: 'g', lag: 1 }] })
  await varve.deleteTopic('t')
  expect((await source.look()).topics).toEqual([])
})
