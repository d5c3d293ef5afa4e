import { type Server, startServer } from '@varve/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../captured-io.ts'
import { makeLetters, deadLetterTopic as topic } from '../dead-letter-fixture.ts'

let server: Server
let there: readonly string[]
let local: Awaited<ReturnType<typeof run>>

beforeAll(async () => {
  const data = await makeLetters()
  local = await run('dead-letter', 'list', topic, '--data', data)
  server = await startServer({ data, port: 0, groupInitialRebalanceDelayMs: 0 })
  there = ['--bootstrap-server', server.bootstrapServers]
})
afterAll(() => server.close())

const deadLetter = (...argv: readonly string[]) => run('dead-letter', ...argv, ...there)

test('dead letters of a server are listed as those of its directory', async () => {
  expect((await deadLetter('list', topic)).out).toBe(local.out)
  expect((await deadLetter('list', topic, '--max', '1')).out).toBe(`${local.out.split('\n')[0]}\n`)
  const { code, err } = await deadLetter('list', 'orders')
  expect([code, err]).toEqual([2, expect.stringContaining("'orders' is no dead-letter topic")])
  const gone = await deadLetter('list', 'nobody', '--json')
  expect([gone.code, JSON.parse(gone.err).error.code]).toEqual([3, 'VARVE_TOPIC_NOT_FOUND'])
  expect((await deadLetter('replay', 'nobody', '--yes')).code).toBe(3)
  expect(await server.varve.listTopics()).not.toContain('nobody')
})

test('they are replayed through the server, once', async () => {
  expect((await deadLetter('replay', topic)).out).toContain(`${topic}: 2 dead letters of orders`)
  const replay = ['replay', topic, '--to-original-partition', '--yes']
  const done = await deadLetter(...replay, '--json')
  expect(done.stdout.documents).toEqual([{ topic, replayed: 2, passedOver: 0 }])
  for (const partition of ['0', '1']) {
    const { out } = await run('consume', 'orders', ...there, '--partition', partition)
    expect(out).toBe(partition === '0' ? '1\n1\n' : '2\n2\n')
  }
  expect((await deadLetter(...replay)).out).toBe(`${topic}: 0 dead letters replayed\n`)
})
