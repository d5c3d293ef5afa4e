import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { type Acl, startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test('topics of a server are made, listed, described and deleted', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  const made = await run('topic', 'create', 'orders', ...there, '--partitions', '2')
  expect(made).toMatchObject({ code: 0, out: 'orders: made, with 2 partitions\n' })
  expect((await run('topic', 'list', ...there)).out).toBe('orders  2 partitions\n')
  const described = await run('topic', 'describe', 'orders', ...there, '--json')
  expect(described.stdout.documents[0].partitions).toHaveLength(2)
  expect((await run('topic', 'delete', 'orders', ...there)).out).toContain('would be deleted')
  expect((await run('topic', 'delete', 'orders', ...there, '--yes')).code).toBe(0)
  expect(await server.varve.listTopics()).toEqual([])
})

test('topics of a server are shown as those of a directory', async () => {
  using temporary = makeTemporaryDirectory()
  const data = `${temporary.path}/data`
  const given = ['retention.ms=1000', 'cleanup.policy=compact,delete', 'recordTtlMs=77']
  const set = given.flatMap((each) => ['--set', each])
  await run('topic', 'create', 'orders', '--data', data, '--partitions', '2', ...set)
  const local = async (...verb: readonly string[]) => run('topic', ...verb, '--data', data)
  const [list, listJson] = [await local('list'), await local('list', '--json')]
  const shown = await local('describe', 'orders')
  await using server = await startServer({ data, port: 0 })
  const there = async (...verb: readonly string[]) =>
    run('topic', ...verb, '--bootstrap-server', server.bootstrapServers)
  expect((await there('list')).out).toBe(list.out)
  expect((await there('list', '--json')).stdout.documents).toEqual(listJson.stdout.documents)
  const lines = (text: string): string[] => text.replaceAll(' in 1 segment', '').split('\n').sort()
  expect(lines((await there('describe', 'orders')).out)).toEqual(lines(shown.out))
})

test('topics of a server are altered, by any name that it knows', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  await run('topic', 'create', 'orders', ...there, '--set', 'min.insync.replicas=2')
  const alter = ['topic', 'alter', 'orders', ...there]
  const set = [
    '--set',
    'retentionMs=never',
    '--set',
    'holdForGroups=billing,audit',
    '--set',
    'leader.replication.throttled.replicas=*',
  ]
  const altered = await run(...alter, ...set, '--partitions', '3', '--json')
  expect(altered.stdout.documents[0]).toMatchObject({
    ...{ topic: 'orders', partitions: 3, settings: { retentionMs: -1 } },
  })
  const settings = async (): Promise<object> => {
    return (await run('topic', 'describe', 'orders', ...there, '--json')).stdout.documents[0]
      .settings
  }
  const held = { retentionMs: -1, holdForGroups: ['billing', 'audit'] }
  expect(await settings()).toMatchObject(held)
  const unset = [
    '--unset',
    'retention.ms',
    '--unset',
    'holdForGroups',
    '--unset',
    'leader.replication.throttled.replicas',
  ]
  expect(await run(...alter, ...unset)).toMatchObject({ code: 0, out: 'orders: altered\n' })
  expect(await settings()).toEqual({ kafkaSettings: { 'min.insync.replicas': '2' } })
  expect(await run(...alter)).toMatchObject({ code: 2 })
  expect(await run(...alter, '--set', 'no.such.setting=1')).toMatchObject({ code: 2 })
  expect(await run(...alter, '--set', '=1')).toMatchObject({ code: 2 })
  const missing = await run('topic', 'alter', 'other', ...there, ...set, '--json')
  expect([missing.code, JSON.parse(missing.err).error.code]).toEqual([3, 'VARVE_TOPIC_NOT_FOUND'])
})

test('a server that is not there is waited for a moment, and named', async () => {
  const away = await run('topic', 'list', '--bootstrap-server', '127.0.0.1:1', '--json')
  expect([away.code, JSON.parse(away.err).error.code]).toEqual([3, 'VARVE_CLUSTER_UNAVAILABLE'])
  expect(away.err).toContain('127.0.0.1:1')
}, 20_000)

test('who may not see or change a topic is told so', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  await server.varve.createTopic('orders')
  const there = ['--bootstrap-server', server.bootstrapServers]
  const describing: Acl = {
    ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'literal', host: '*' },
    ...{ principal: 'User:ANONYMOUS', operation: 'describe', permission: 'allow' },
  }
  await server.security.addAcls([{ ...describing, resourceName: 'other' }])
  const refused = await run('topic', 'describe', 'orders', ...there)
  expect([refused.code, refused.err]).toEqual([3, expect.stringContaining('AUTHORIZATION_FAILED')])
  await server.security.addAcls([describing])
  const seen = await run('topic', 'describe', 'orders', ...there)
  expect(seen.out).toContain('(its settings are not shown to this user)\n  0: offsets 0 to 0\n')
  const gone = await run('topic', 'delete', 'orders', ...there, '--yes')
  expect([gone.code, gone.err]).toEqual([3, expect.stringContaining('TOPIC_AUTHORIZATION_FAILED')])
})

test('who has to log in says how in a file for Kafka’s tools', async () => {
  using temporary = makeTemporaryDirectory()
  const listeners = [{ protocol: 'SASL_PLAINTEXT' as const, port: 0 }]
  await using server = await startServer({ memory: true, listeners })
  await server.security.addUser('alice', 'a "word"', { iterations: 4096 })
  const config = `${temporary.path}/client.properties`
  const jaas = 'X required username="alice" password="a \\\\"word\\\\"";'
  const how = 'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n'
  writeFileSync(config, `${how}sasl.jaas.config=${jaas}\n`)
  const there = ['--bootstrap-server', server.bootstrapServers, '--command-config', config]
  expect(await run('topic', 'create', 'orders', ...there)).toMatchObject({ code: 0, err: '' })
})
