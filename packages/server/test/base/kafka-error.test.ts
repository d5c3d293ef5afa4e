import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { kafkaErrorOf, toldError } from '../../src/base/kafka-error.ts'
import { NotLoggedInError } from '../../src/base/server-errors.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'

test('an error with a number of its own keeps it, others get what clients know in its place', () => {
  expect(kafkaErrorOf(new NotLoggedInError('Fetch'))?.errorCode).toBe(errorCodes.ILLEGAL_SASL_STATE)
  const error = new InvalidArgumentError('partitions', 0, 'must be more')
  expect(kafkaErrorOf(error)).toEqual({
    errorCode: errorCodes.INVALID_REQUEST,
    errorMessage: error.message,
  })
})

test('of an error that nobody foresaw clients are told nothing', () => {
  expect(kafkaErrorOf(new TypeError('secret'))).toBeNull()
  const told = toldError(new TypeError('secret'))
  expect(told.errorCode).toBe(errorCodes.UNKNOWN_SERVER_ERROR)
  expect(told.errorMessage).not.toContain('secret')
})
