import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test('topics of a server are made, listed, described and deleted', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  const made = await run('topic', 'create', 'orders', ...there, '--partitions', '2')
  expect(made).toMatchObject({ code: 0, out: 'orders: made, with 2 partitions\n' })
  expect((await run('topic', 'list', ...there)).out).toBe('orders\n')
  const described = await run('topic', 'describe', 'orders', ...there, '--json')
  expect(described.stdout.documents[0].partitions).toHaveLength(2)
  expect((await run('topic', 'delete', 'orders', ...there)).out).toContain('would be deleted')
  expect((await run('topic', 'delete', 'orders', ...there, '--yes')).code).toBe(0)
  expect(await server.varve.listTopics()).toEqual([])
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
