import { afterEach, beforeEach, expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { TransactionServer } from '../transactions/transaction-server.ts'

let started: TransactionServer

beforeEach(async () => {
  started = await TransactionServer.start()
})

afterEach(() => started[Symbol.asyncDispose]())

test('a transaction commits the offsets of a group, and those of one that is aborted are never seen', async () => {
  const groups = await started.server.varve.groups()
  const committed = async () => (await groups.fetch('g', [{ topic: 't', partition: 0 }]))[0]?.offset
  const one = started.producer('p')
  await one.init()
  const place = { topic: 't', partition: 0 }
  const { TRANSACTION_ABORTABLE, INVALID_TXN_STATE } = errorCodes
  expect(await one.commitOffset('g', { ...place, offset: 1 })).toBe(TRANSACTION_ABORTABLE)
  expect(await one.addOffsets('g')).toBe(0)
  expect(await one.commitOffset('g', { ...place, offset: 2 })).toBe(0)
  expect(await one.end(true)).toBe(0)
  expect(await committed()).toBe(2)
  await one.addOffsets('g')
  expect(await one.commitOffset('g', { ...place, offset: 3 })).toBe(0)
  expect(await one.end(false)).toBe(0)
  expect(await committed()).toBe(2)
  const older = started.producer('q', { commitOffsets: 3 })
  await older.init()
  expect(await older.commitOffset('g', { ...place, offset: 1 })).toBe(INVALID_TXN_STATE)
})

test('a transaction checks each offset, and the member that consumed', async () => {
  const one = started.producer('p')
  await one.init()
  await one.addOffsets('g')
  const place = { topic: 't', partition: 0, offset: 1 }
  const { UNKNOWN_TOPIC_OR_PARTITION, OFFSET_METADATA_TOO_LARGE } = errorCodes
  expect(await one.commitOffset('g', { ...place, partition: 9 })).toBe(UNKNOWN_TOPIC_OR_PARTITION)
  const long = 'x'.repeat(4097)
  // Characters count, as with Kafka, whatever bytes they take.
  expect(await one.commitOffset('g', place, {}, 'é'.repeat(4096))).toBe(errorCodes.NONE)
  expect(await one.commitOffset('g', place, {}, long)).toBe(OFFSET_METADATA_TOO_LARGE)
  expect(await one.commitOffset('', place)).toBe(errorCodes.INVALID_GROUP_ID)
  const stranger = { memberId: 'm', generationId: 3 }
  expect(await one.commitOffset('g', place, stranger)).toBe(errorCodes.ILLEGAL_GENERATION)
  await started.producer('p').init()
  expect(await one.commitOffset('g', place)).toBe(errorCodes.INVALID_PRODUCER_EPOCH)
})
