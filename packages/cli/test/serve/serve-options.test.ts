import { expect, test } from 'vitest'
import { type ServeOptions, serverOptionsOf } from '../../src/serve/serve-options.ts'

const nothing: ServeOptions = {
  ...{ data: null, memory: false, listen: [], http: null, config: null, set: [] },
  ...{ verbose: false, json: false, allowAnonymousNetworkClients: false },
}
const noFiles = { config: '', httpToken: null }

test('the command line counts more than --set, and that more than the file', () => {
  const given = {
    ...nothing,
    ...{ data: './here', set: ['num.partitions=3'], listen: ['localhost:1'] },
  }
  const config = 'num.partitions=2\nlog.dirs=/there\nnode.id=7\nlisteners=PLAINTEXT://localhost:2'
  expect(serverOptionsOf(given, { ...noFiles, config }).options).toEqual({
    ...{ data: './here', numPartitions: 3, nodeId: 7 },
    listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 1 }],
  })
})

test('several addresses are listeners of different names', () => {
  const listen = ['localhost:1', '[::1]:2', 'OTHER://localhost:3']
  const { options } = serverOptionsOf({ ...nothing, data: 'd', listen }, noFiles)
  expect(options.listeners?.map(({ name, host, port }) => `${name} ${host} ${port}`)).toEqual([
    'PLAINTEXT localhost 1',
    'PLAINTEXT_2 ::1 2',
    'OTHER localhost 3',
  ])
})

test('a home has to be named, once', () => {
  expect(() => serverOptionsOf(nothing, noFiles)).toThrow(/--data/)
  expect(() => serverOptionsOf({ ...nothing, data: 'd', memory: true }, noFiles)).toThrow(
    /--memory/,
  )
  expect(serverOptionsOf({ ...nothing, memory: true }, noFiles).options).toEqual({ memory: true })
  const config = 'log.dirs=/there'
  const inMemory = serverOptionsOf({ ...nothing, memory: true }, { ...noFiles, config })
  expect(inMemory.options).toEqual({ memory: true })
})

test('HTTP has an address, and a token where one is given', () => {
  const given = { ...nothing, memory: true, http: ':9464' }
  const { options } = serverOptionsOf(given, { ...noFiles, httpToken: 'secret' })
  expect(options.http).toEqual({ host: '0.0.0.0', port: 9464, token: 'secret' })
  expect(() => serverOptionsOf({ ...given, http: 'x' }, noFiles)).toThrow(/--http.*HOST:PORT/)
})

test('what is no setting is said to be none', () => {
  const given = { ...nothing, memory: true }
  expect(() => serverOptionsOf({ ...given, set: ['x'] }, noFiles)).toThrow(/name=value/)
  expect(() => serverOptionsOf({ ...given, set: ['node.idd=1'] }, noFiles)).toThrow(/node\.id/)
})
