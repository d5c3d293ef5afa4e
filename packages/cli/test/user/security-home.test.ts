import { openDataDirectory } from '@varve/broker'
import { LogLockedError, LogNotFoundError } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { changeSecurity, lookAtSecurity } from '../../src/user/security-home.ts'

test('a directory is made by the first change, and not by a look', async () => {
  using temporary = makeTemporaryDirectory()
  const home = { data: `${temporary.path}/data` }
  const look = lookAtSecurity(home, async (security) => security.listUsers())
  await expect(look).rejects.toThrow(LogNotFoundError)
  await changeSecurity(home, (security) => security.addUser('alice', 'x', { iterations: 4096 }))
  await using _varve = await openDataDirectory(home.data, { cleaning: false })
  const users = await lookAtSecurity(home, async (security) => security.listUsers())
  expect(users.map(({ name }) => name)).toEqual(['alice'])
  const change = changeSecurity(home, (security) => security.removeUser('alice'))
  await expect(change).rejects.toThrow(LogLockedError)
})

test('a server is looked at and changed by the network', async () => {
  await using server = await startServer({ memory: true, port: 0 })
  const home = { place: { bootstrapServer: server.bootstrapServers, commandConfig: null } }
  await changeSecurity(home, (security) => security.addUser('alice', 'x', { iterations: 4096 }))
  const users = await lookAtSecurity(home, async (security) => security.listUsers())
  expect(users).toEqual(server.security.listUsers())
})
