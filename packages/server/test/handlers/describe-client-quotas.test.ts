import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'
import { alterQuotas, describeQuotas, entry } from './quota-requests.ts'

const exactly = 0
const theDefault = 1
const anyName = 2

test('a filter matches names, defaults and anything, strictly or not', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const quota = { consumer_byte_rate: 7 }
  const made = await alterQuotas(
    client,
    false,
    ...[entry({ user: 'u' }, quota), entry({ user: null }, quota)],
    ...[entry({ user: 'u', 'client-id': 'c' }, quota), entry({ 'client-id': null }, quota)],
    entry({ ip: '1.2.3.4' }, { connection_creation_rate: 3 }),
  )
  expect(made).toEqual([0, 0, 0, 0, 0])
  const names = async (strict: boolean, ...filter: [string, number, string | null][]) => {
    const found = await describeQuotas(client, strict, ...filter)
    return Array.isArray(found) ? found.map(([name]) => name) : found
  }
  expect(await names(false)).toHaveLength(5)
  expect(await names(true)).toEqual([])
  expect(await names(true, ['user', exactly, 'u'])).toEqual(['user=u'])
  expect(await names(false, ['user', exactly, 'u'])).toEqual(['user=u', 'user=u,client-id=c'])
  expect(await names(true, ['user', theDefault, null])).toEqual(['user=null'])
  expect(await names(false, ['user', anyName, null])).toHaveLength(3)
  expect(await names(true, ['user', anyName, null])).toEqual(['user=u', 'user=null'])
  const both: [string, number, string | null][] = [
    ['client-id', anyName, null],
    ['user', anyName, null],
  ]
  expect(await names(true, ...both)).toEqual(['user=u,client-id=c'])
  expect(await names(false, ['ip', anyName, null])).toEqual(['ip=1.2.3.4'])
})

test.each([
  [[['moon', exactly, 'u']], errorCodes.UNSUPPORTED_VERSION],
  [[['user', 5, 'u']], errorCodes.INVALID_REQUEST],
  [[['user', exactly, null]], errorCodes.INVALID_REQUEST],
  [[['user', theDefault, 'x']], errorCodes.INVALID_REQUEST],
  [
    [
      ['user', exactly, 'u'],
      ['user', anyName, null],
    ],
    errorCodes.INVALID_REQUEST,
  ],
  [
    [
      ['user', anyName, null],
      ['ip', anyName, null],
    ],
    errorCodes.INVALID_REQUEST,
  ],
] as [[string, number, string | null][], number][])(
  'filter %j is refused',
  async (filter, code) => {
    await using server = await startTestServer()
    await using client = await WireClient.connect(server.port)
    expect(await describeQuotas(client, true, ...filter)).toBe(code)
  },
)
