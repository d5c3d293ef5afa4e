import { ProducerFencedError } from '@varve/broker'
import { LogClosedError, LogOfflineError } from '@varve/log'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { coordinatorCode, notInTransactionCode } from '../../src/transactions/transaction-codes.ts'

const told: unknown[] = []
const note = (fields: unknown) => void told.push(fields)
const logger = { debug: note, info: note, warn: note, error: note }

test('whoever was fenced is told so in the words that the client knows', () => {
  const error = new ProducerFencedError('p', 'a newer one has begun')
  expect(coordinatorCode(error, true, logger)).toBe(errorCodes.PRODUCER_FENCED)
  expect(coordinatorCode(error, false, logger)).toBe(errorCodes.INVALID_PRODUCER_EPOCH)
  expect(notInTransactionCode(error, true)).toBe(errorCodes.INVALID_PRODUCER_EPOCH)
  expect(notInTransactionCode(new Error('other'), true)).toBeNull()
})

test('storage that fails has clients ask again, and what nobody foresaw is told to operators', () => {
  const offline = new LogOfflineError('__transaction_state-0', 'writing', 'test')
  expect(coordinatorCode(offline, true, logger)).toBe(errorCodes.COORDINATOR_NOT_AVAILABLE)
  const closed = new LogClosedError('__transaction_state-0')
  expect(coordinatorCode(closed, true, logger)).toBe(errorCodes.NOT_COORDINATOR)
  expect(told).toEqual([])
  const odd = new Error('odd')
  expect(coordinatorCode(odd, true, logger)).toBe(errorCodes.UNKNOWN_SERVER_ERROR)
  expect(told).toEqual([{ err: odd }])
})
