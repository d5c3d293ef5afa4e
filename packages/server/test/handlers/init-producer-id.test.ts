import { afterEach, beforeEach, expect, test } from 'vitest'
import { initProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { fencings, TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('InitProducerId gives everybody without a transactional id another producer id, in each version', async () => {
  const ids = new Set<number>()
  for (let version = 0; version <= 5; version++) {
    const request = { transactionalId: null, transactionTimeoutMs: 0 }
    const answer = await started.client.call(initProducerId, version, request)
    expect(answer).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    ids.add(answer.producerId)
  }
  expect(ids.size).toBe(6)
})

test('InitProducerId gives a transactional id the same producer id, with a higher epoch each time', async () => {
  const first = started.producer('p')
  const second = started.producer('p', { init: 0 })
  expect([await first.init(), await second.init()]).toEqual([0, 0])
  expect(second.producerId).toBe(first.producerId)
  expect([first.producerEpoch, second.producerEpoch]).toEqual([0, 1])
})

test('InitProducerId refuses time-outs that are too long or none, ids that are empty, half an identity', async () => {
  expect(await started.producer('p').init(900_001)).toBe(errorCodes.INVALID_TRANSACTION_TIMEOUT)
  expect(await started.producer('p').init(0)).toBe(errorCodes.INVALID_TRANSACTION_TIMEOUT)
  expect(await started.producer('').init()).toBe(errorCodes.INVALID_REQUEST)
  const half = started.producer('p')
  half.producerId = 7
  expect(await half.init(1000, true)).toBe(errorCodes.INVALID_REQUEST)
  expect(await started.producer('p').init(900_000)).toBe(0)
})

test.each(fencings)(
  'InitProducerId raises the epoch of who says what it has: $fenced',
  async (fencing) => {
    const { versions, fenced } = fencing
    const one = started.producer('p', versions)
    await one.init()
    expect(await one.init(60_000, true)).toBe(0)
    expect(one.producerEpoch).toBe(1)
    // The answer was lost, and it asks again.
    const retry = started.producer('p', versions)
    retry.producerId = one.producerId
    retry.producerEpoch = 0
    expect(await retry.init(60_000, true)).toBe(0)
    expect(retry.producerEpoch).toBe(1)
    const newer = started.producer('p', versions)
    await newer.init()
    expect(newer.producerEpoch).toBe(2)
    expect(await one.init(60_000, true)).toBe(errorCodes[fenced])
    const other = started.producer('p', versions)
    other.producerId = newer.producerId + 1
    other.producerEpoch = 2
    expect(await other.init(60_000, true)).toBe(errorCodes[fenced])
  },
)

test('InitProducerId, going on from an identity that was forgotten gets a new one', async () => {
  const lost = started.producer('never seen')
  lost.producerId = 12_345
  lost.producerEpoch = 3
  expect(await lost.init(60_000, true)).toBe(0)
  expect(lost.producerEpoch).toBe(0)
})
