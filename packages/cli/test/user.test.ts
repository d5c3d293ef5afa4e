import { existsSync, writeFileSync } from 'node:fs'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { startServer } from '@varve/server'
import { describe, expect, test } from 'vitest'
import { hashTree, run, runWith } from './captured-io.ts'

const quick = ['--iterations', '4096']

describe('users of a directory that nobody serves', () => {
  test('are added with a password of the input, listed, altered and deleted', async () => {
    using temporary = makeTemporaryDirectory()
    const data = ['--data', `${temporary.path}/data`]
    const made = await runWith({ input: ['secret\n'] }, 'user', 'add', 'alice', ...data, ...quick)
    const both = 'SCRAM-SHA-256 (4096), SCRAM-SHA-512 (4096)'
    expect(made).toMatchObject({ code: 0, err: '', out: `alice: added, logs in by ${both}\n` })
    expect((await run('user', 'list', ...data)).out).toBe(
      `USER   MECHANISMS (ITERATIONS)\nalice  ${both}\n`,
    )
    await runWith({ input: ['other'] }, 'user', 'alter', 'alice', ...data, '--json')
    const credentials = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => {
      return { mechanism, iterations: 4096 }
    })
    expect((await run('user', 'list', ...data, '--json')).stdout.documents).toEqual([
      { user: 'alice', credentials },
    ])
    const gone = await run('user', 'delete', 'alice', ...data)
    expect(gone.out).toBe('alice: the user would be deleted. Run it again with --yes.\n')
    await run('user', 'delete', 'alice', ...data, '--yes', '--mechanism', 'SCRAM-SHA-256')
    const left = await run('user', 'list', ...data, '--json')
    expect(left.stdout.documents[0].credentials).toEqual([credentials[1]])
    expect((await run('user', 'delete', 'alice', ...data, '--yes')).out).toBe('alice: deleted\n')
    expect((await run('user', 'list', ...data)).out).toBe('')
  })

  test('are listed without a lock, without writing, and not where there is no directory', async () => {
    using temporary = makeTemporaryDirectory()
    const data = `${temporary.path}/data`
    expect(await run('user', 'list', '--data', data)).toMatchObject({ code: 3 })
    expect(existsSync(data)).toBe(false)
    await using server = await startServer({ data, port: 0 })
    await server.security.addUser('alice', 'secret', { iterations: 4096 })
    const before = hashTree(data)
    expect((await run('user', 'list', '--data', data)).out).toContain('alice')
    expect(hashTree(data)).toEqual(before)
    const refused = await runWith({ input: ['x\n'] }, 'user', 'add', 'bob', '--data', data)
    expect(refused.code).toBe(3)
    expect(refused.err).toContain('--bootstrap-server')
  })
})

describe('a password', () => {
  test('is asked for twice at a terminal, and has to be the same', async () => {
    using temporary = makeTemporaryDirectory()
    const add = ['user', 'add', 'alice', '--data', `${temporary.path}/data`, ...quick]
    const differing = { inputIsTerminal: true, secrets: ['one', 'other'] }
    const refused = await runWith(differing, ...add)
    expect(refused.code).toBe(2)
    expect(refused.err).not.toMatch(/one\b|other/)
    const same = { inputIsTerminal: true, secrets: ['one', 'one'] }
    expect(await runWith(same, ...add)).toMatchObject({ code: 0 })
    const givenUp = await runWith({ inputIsTerminal: true }, 'user', 'alter', ...add.slice(2))
    expect(givenUp.code).toBe(3)
  })

  test('may stand in a file, and not on the command line', async () => {
    using temporary = makeTemporaryDirectory()
    const file = `${temporary.path}/secret`
    writeFileSync(file, 'secret\nand more\n')
    const add = ['user', 'add', 'alice', '--data', `${temporary.path}/data`, ...quick]
    expect(await run(...add, '--password', 'secret')).toMatchObject({ code: 2 })
    expect(await run(...add)).toMatchObject({ code: 2 })
    expect(await run(...add, '--password-file', file)).toMatchObject({ code: 0 })
  })
})

test('a user is not added twice, and one that is not there is not changed', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  const input = { input: ['secret\n'] }
  expect((await runWith(input, 'user', 'add', 'alice', ...there, ...quick)).code).toBe(0)
  const again = await runWith(input, 'user', 'add', 'alice', ...there, '--json')
  expect(again.code).toBe(3)
  expect(JSON.parse(again.err).error.code).toBe('VARVE_USER_EXISTS')
  for (const verb of [['alter'], ['delete', '--yes']]) {
    const refused = await runWith(input, 'user', ...verb, 'bob', ...there, '--json')
    expect(JSON.parse(refused.err).error.code).toBe('VARVE_USER_NOT_FOUND')
  }
})

test('users of a server are changed by the network, and log in with what they were given', async () => {
  using temporary = makeTemporaryDirectory()
  const listeners = [{ protocol: 'SASL_PLAINTEXT' as const, port: 0 }]
  await using server = await startServer({ memory: true, listeners, superUsers: ['User:admin'] })
  await server.security.addUser('admin', 'admin-secret', { iterations: 4096 })
  const there = ['--bootstrap-server', server.bootstrapServers]
  const as = (user: string, password: string, mechanism = 'SCRAM-SHA-512'): string[] => {
    const path = `${temporary.path}/${user}-${mechanism}.properties`
    const jaas = `X required username="${user}" password="${password}";`
    const how = `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=${mechanism}\n`
    writeFileSync(path, `${how}sasl.jaas.config=${jaas}\n`)
    return [...there, '--command-config', path]
  }
  const admin = as('admin', 'admin-secret')
  const add = ['user', 'add', 'carol', ...admin, ...quick]
  expect((await runWith({ input: ['one\n'] }, ...add)).err).toBe('')
  expect((await run('topic', 'list', ...as('carol', 'one'))).code).toBe(0)
  const alter = ['user', 'alter', 'carol', ...admin, '--mechanism', 'SCRAM-SHA-512']
  expect((await runWith({ input: ['two\n'] }, ...alter)).err).toBe('')
  expect((await run('topic', 'list', ...as('carol', 'two'))).code).toBe(0)
  const refused = await run('topic', 'list', ...as('carol', 'two', 'SCRAM-SHA-256'), '--json')
  expect(refused.code).toBe(3)
  expect(JSON.parse(refused.err).error.code).toBe('VARVE_CLUSTER_AUTHENTICATION')
  await run('user', 'delete', 'carol', ...admin, '--yes')
  expect((await run('user', 'list', ...admin)).out).not.toContain('carol')
})
