import { expect, test } from 'vitest'
import { TransactionServer } from '../transactions/transaction-server.ts'

test('offsets join a transaction before any group has been there, in every version', async () => {
  await using started = await TransactionServer.start()
  const { varve } = started.server
  expect(await varve.listTopics({ internal: true })).not.toContain('__consumer_offsets')
  for (let addOffsets = 0; addOffsets <= 4; addOffsets++) {
    const producer = started.producer('p', { addOffsets })
    await producer.init()
    expect(await producer.addOffsets('g')).toBe(0)
    expect(await producer.end(true)).toBe(0)
  }
  expect(await varve.listTopics({ internal: true })).toContain('__consumer_offsets')
})
