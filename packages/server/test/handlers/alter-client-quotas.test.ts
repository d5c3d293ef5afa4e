import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'
import { alterQuotas, describeQuotas, entry } from './quota-requests.ts'

test('quotas are stored, told, kept through a restart, and removed', async () => {
  const fs = new SimulatedFileSystem()
  {
    await using server = await startTestServer({}, fs)
    await using client = await WireClient.connect(server.port)
    const quotas = { producer_byte_rate: 1000, request_percentage: 12.5 }
    expect(await alterQuotas(client, true, entry({ user: 'u' }, quotas))).toEqual([0])
    expect(await describeQuotas(client, false)).toEqual([])
    expect(await alterQuotas(client, false, entry({ user: 'u' }, quotas))).toEqual([0])
  }
  await using server = await startTestServer({}, fs)
  await using client = await WireClient.connect(server.port)
  expect(await describeQuotas(client, false)).toEqual([
    ['user=u', { producer_byte_rate: 1000, request_percentage: 12.5 }],
  ])
  await alterQuotas(client, false, entry({ user: 'u' }, { producer_byte_rate: null }))
  expect(await describeQuotas(client, false)).toEqual([['user=u', { request_percentage: 12.5 }]])
  await alterQuotas(client, false, entry({ user: 'u' }, { request_percentage: null }))
  expect(await describeQuotas(client, false)).toEqual([])
})

test('what makes no sense is refused by itself', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  const rate = { producer_byte_rate: 5 }
  const wrong = [
    entry({ ip: 'not an ip' }, { connection_creation_rate: 20 }),
    entry({ ip: '1.2.3.4', user: 'u' }, {}),
    entry({ moon: 'u' }, {}),
    entry({}, rate),
    entry({ user: 'v' }, { nonsense: 1 }),
    entry({ user: 'v' }, { __proto__: null, constructor: 1 }),
    entry({ user: 'v' }, { producer_byte_rate: -1 }),
    entry({ user: 'v' }, { producer_byte_rate: 0 }),
    entry({ user: 'v' }, { producer_byte_rate: 1.5 }),
    entry({ user: 'v' }, { producer_byte_rate: Number.POSITIVE_INFINITY }),
    entry({ user: 'v' }, { request_percentage: Number.NaN }),
    entry({ user: '' }, rate),
    entry({ user: 'x'.repeat(257) }, rate),
    entry({ user: 'v' }, { connection_creation_rate: 1 }),
    {
      entity: [
        { entityType: 'user', entityName: 'a' },
        { entityType: 'user', entityName: 'b' },
      ],
      ops: [],
    },
  ]
  const codes = await alterQuotas(client, false, ...wrong, entry({ user: 'fine' }, rate))
  expect(codes).toEqual([...wrong.map(() => errorCodes.INVALID_REQUEST), errorCodes.NONE])
  expect(await describeQuotas(client, false)).toEqual([['user=fine', rate]])
})
