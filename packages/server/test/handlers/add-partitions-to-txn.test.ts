import { afterEach, beforeEach, expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { fencings, TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('a transaction takes all partitions that are asked for, or none', async () => {
  const one = started.producer('p')
  await one.init()
  const { OPERATION_NOT_ATTEMPTED, UNKNOWN_TOPIC_OR_PARTITION } = errorCodes
  expect(await one.addPartitions('t', [0, 2])).toEqual([
    OPERATION_NOT_ATTEMPTED,
    UNKNOWN_TOPIC_OR_PARTITION,
  ])
  expect(await one.addPartitions('none', [0])).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
  expect(await one.addPartitions('__consumer_offsets', [0])).toEqual([
    errorCodes.TOPIC_AUTHORIZATION_FAILED,
  ])
  expect(await one.end(true)).toBe(errorCodes.INVALID_TXN_STATE)
  expect(await one.addPartitions('t', [0, 1])).toEqual([0, 0])
  expect(await one.addPartitions('t', [1])).toEqual([0])
  expect(await one.end(true)).toBe(0)
})

test.each(fencings)(
  'a transaction is refused to whoever does not have the id: $fenced',
  async (fencing) => {
    const { versions, fenced } = fencing
    const unknown = started.producer('unknown', versions)
    unknown.producerId = 5
    unknown.producerEpoch = 0
    const mapping = errorCodes.INVALID_PRODUCER_ID_MAPPING
    expect(await unknown.addPartitions('t', [0, 1])).toEqual([mapping, mapping])
    expect(await unknown.addOffsets('g')).toBe(mapping)
    expect(await unknown.end(true)).toBe(mapping)
    const one = started.producer('p', versions)
    await one.init()
    await started.producer('p').init()
    expect(await one.addPartitions('t', [0])).toEqual([errorCodes[fenced]])
    expect(await one.addOffsets('g')).toBe(errorCodes[fenced])
    expect(await one.end(false)).toBe(errorCodes[fenced])
    one.producerId += 1
    expect(await one.addPartitions('t', [0])).toEqual([mapping])
    expect(await one.end(false)).toBe(mapping)
  },
)
