import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { duplicatesIn, refusal, unauthorized } from '../../src/administration/refusals.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'

test('what is named more than once is found once', () => {
  expect([...duplicatesIn(['a', 'b', 'a', 'c', 'a', 'b'])]).toEqual(['a', 'b'])
})

test('a wrong argument is a setting, and an unforeseen error tells nothing of itself', () => {
  expect(refusal(new InvalidArgumentError('retentionMs', -2, 'too small'))).toEqual({
    errorCode: errorCodes.INVALID_CONFIG,
    errorMessage: 'retentionMs is -2: too small',
  })
  expect(refusal(unauthorized('TOPIC_AUTHORIZATION_FAILED')).errorCode).toBe(29)
  const unforeseen = refusal(new Error('/secret/path'))
  expect(unforeseen.errorCode).toBe(errorCodes.UNKNOWN_SERVER_ERROR)
  expect(unforeseen.errorMessage).not.toContain('secret')
})
