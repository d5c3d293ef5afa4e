import { openDataDirectory } from '@varve/broker'
import { LogNotFoundError, StorageError } from '@varve/log'
import { makeTemporaryDirectory, SimulatedFileSystem } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { CorruptServerStateError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'
import type { Acl } from '../../src/security/acl.ts'
import {
  keyBytesOf,
  type ScramCredential,
  type ScramMechanism,
} from '../../src/security/scram-credential.ts'
import { readSecurity, SecurityStore, securityOf } from '../../src/security/security-store.ts'
import { startTestServer } from '../test-server.ts'

function makeStore(): { readonly state: ServerState; readonly store: SecurityStore } {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const state = ServerState.load(fs, '/data')
  return { state, store: new SecurityStore(state) }
}

test.each([
  ['', 'secret', {}],
  ['x'.repeat(256), 'secret', {}],
  ['alice', '', {}],
  ['alice', 'a\0b', {}],
  ['alice', 'secret', { iterations: 4095 }],
  ['alice', 'secret', { iterations: 16_385 }],
  ['alice', 'secret', { mechanisms: [] }],
])('the user %j with password %j and %j is refused', async (name, password, options) => {
  const { store } = makeStore()
  await expect(store.addUser(name, password, options)).rejects.toBeInstanceOf(InvalidArgumentError)
})

test('a new password replaces the old one for all mechanisms', async () => {
  const { store } = makeStore()
  await store.addUser('alice', 'old', { iterations: 4096 })
  await store.addUser('alice', 'new', { mechanisms: ['SCRAM-SHA-512'], iterations: 4096 })
  expect(store.listUsers()).toEqual([
    { name: 'alice', credentials: [{ mechanism: 'SCRAM-SHA-512', iterations: 4096 }] },
  ])
})

test('users are added to a directory that nobody serves', async () => {
  const fs = new SimulatedFileSystem()
  {
    await using varve = await openDataDirectory('/data', { fs, cleaning: false })
    await securityOf(varve).addUser('alice', 'secret', { iterations: 4096 })
  }
  await using server = await startTestServer({}, fs)
  expect(server.security.listUsers().map(({ name }) => name)).toEqual(['alice'])
})

test('users and rules are read without a lock, beside who has the directory open', async () => {
  using temporary = makeTemporaryDirectory()
  const data = `${temporary.path}/data`
  expect(() => readSecurity(data)).toThrow(LogNotFoundError)
  await using varve = await openDataDirectory(data, { cleaning: false })
  expect(await readSecurity(data).listUsers()).toEqual([])
  await securityOf(varve).addUser('alice', 'secret', { iterations: 4096 })
  expect(await readSecurity(data).listUsers()).toMatchObject([{ name: 'alice' }])
  expect(await readSecurity(data).listAcls()).toEqual([])
})

test('a credential of one mechanism is removed alone', async () => {
  const { store } = makeStore()
  await store.addUser('alice', 'secret', { iterations: 4096 })
  expect(await store.removeUser('alice', ['SCRAM-SHA-256'])).toBe(true)
  expect(await store.removeUser('alice', ['SCRAM-SHA-256'])).toBe(false)
  const [alice] = store.listUsers()
  expect(alice?.credentials).toEqual([{ mechanism: 'SCRAM-SHA-512', iterations: 4096 }])
})

test('a user may be named like something of every object', async () => {
  const { state, store } = makeStore()
  await store.addUser('__proto__', 'secret', { iterations: 4096 })
  await store.addUser('constructor', 'secret', { iterations: 4096 })
  const again = new SecurityStore(state)
  expect(again.listUsers().map(({ name }) => name)).toEqual(['__proto__', 'constructor'])
})

test('stored users that cannot be understood keep the server from starting', async () => {
  const { state } = makeStore()
  for (const damaged of [
    null,
    7,
    { users: {} },
    { secret: '', users: { a: { 'SCRAM-SHA-256': 'x' } } },
  ]) {
    await state.update('users', () => damaged)
    expect(() => new SecurityStore(state)).toThrow(CorruptServerStateError)
  }
})

test('a rule that could not be stored is not there, and comes with no later one', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const store = new SecurityStore(ServerState.load(fs, '/data'))
  const rule = (resourceName: string): Acl => ({
    ...{ resourceType: 'topic', pattern: 'literal', principal: 'User:a', host: '*' },
    ...{ resourceName, operation: 'read', permission: 'allow' },
  })
  await store.addAcls([rule('first')])
  fs.injectFault({ kind: 'ENOSPC' })
  await expect(store.addAcls([rule('lost')])).rejects.toThrow(StorageError)
  await store.addAcls([rule('second')])
  const names = (from: SecurityStore) => from.listAcls().map(({ resourceName }) => resourceName)
  expect(names(store)).toEqual(['first', 'second'])
  expect(names(new SecurityStore(ServerState.load(fs, '/data')))).toEqual(['first', 'second'])
})

test('users that change are what is read again later', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const { users } = new SecurityStore(ServerState.load(fs, '/data'))
  const of = (user: string, mechanism: ScramMechanism, kept = true) => {
    return { user, mechanism, credential: kept ? credentialFor(4096, mechanism) : null }
  }
  await users.change([of('a', 'SCRAM-SHA-256'), of('a', 'SCRAM-SHA-512'), of('b', 'SCRAM-SHA-512')])
  await users.change([of('a', 'SCRAM-SHA-256', false), of('b', 'SCRAM-SHA-512', false)])
  expect([...users.all.keys()]).toEqual(['a'])
  expect(users.find('a', 'SCRAM-SHA-256')).toBeNull()
  const again = new SecurityStore(ServerState.load(fs, '/data')).users
  expect(again.all).toEqual(users.all)
})

test('whoever is not there is answered as fast among many users', async () => {
  const { store } = makeStore()
  const { users } = store
  const changes = Array.from({ length: 50_000 }, (_, index) => {
    const credential = credentialFor(index % 10 === 0 ? 16_384 : 8192)
    return { user: `user${index}`, mechanism: 'SCRAM-SHA-256' as const, credential }
  })
  await users.change(changes)
  const startedMs = performance.now()
  for (let count = 0; count < 1000; count++) {
    expect(users.pretended(`nobody${count}`, 'SCRAM-SHA-256').iterations).toBe(8192)
    expect(users.usualMechanism).toBe('SCRAM-SHA-256')
  }
  expect(performance.now() - startedMs).toBeLessThan(2000)
})

function credentialFor(
  iterations: number,
  mechanism: ScramMechanism = 'SCRAM-SHA-256',
): ScramCredential {
  const bytes = Buffer.alloc(keyBytesOf(mechanism), 1)
  return { salt: Buffer.alloc(24, 2), iterations, storedKey: bytes, serverKey: bytes }
}
