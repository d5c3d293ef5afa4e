import { expect, test } from 'vitest'
import { joinGroup } from '../../src/protocol/apis/join-group.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { WireClient } from '../wire-client.ts'
import { WatchedServer } from './watched-server.ts'

test('a member may offer a hundred and fifty thousand protocols, and nothing ends', async () => {
  await using watched = await WatchedServer.start({ groupInitialRebalanceDelayMs: 20 })
  await using client = await WireClient.connect(watched.port)
  const metadata = Buffer.alloc(0)
  const protocols = Array.from({ length: 150_000 }, (_, index) => ({ name: `p${index}`, metadata }))
  const { errorCode, protocolName } = await client.call(joinGroup, 3, {
    ...{ groupId: 'g', memberId: '', protocolType: 'consumer', protocols },
    ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 },
  })
  expect({ errorCode, protocolName }).toEqual({ errorCode: errorCodes.NONE, protocolName: 'p0' })
  expect(watched.unforeseen).toEqual([])
  expect(await watched.slowestMs()).toBeLessThan(5000)
}, 30_000)
