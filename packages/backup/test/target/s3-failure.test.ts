import { expect, test } from 'vitest'
import { S3Failure } from '../../src/target/s3-failure.ts'

const answered = (status: number, name: string, headers = {}): object =>
  Object.assign(new Error('as it was said'), {
    name,
    $metadata: { httpStatusCode: status },
    $response: { headers },
  })

test.each([
  [answered(503, 'SlowDown'), true, false],
  [answered(429, 'TooManyRequestsException'), true, false],
  [answered(500, 'InternalError'), true, true],
  [answered(400, 'BadDigest'), true, false],
  [answered(400, 'RequestTimeout'), true, false],
  [answered(409, 'ConditionalRequestConflict'), true, false],
  [answered(200, 'SyntaxError'), true, true],
  [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), true, true],
  [Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), true, true],
  [answered(403, 'AccessDenied'), false, false],
  [answered(404, 'NoSuchBucket'), false, false],
  [answered(412, 'PreconditionFailed'), false, false],
  [answered(501, 'NotImplemented'), false, false],
  [new TypeError('a mistake'), false, false],
  ['a string', false, false],
  [null, false, false],
])('whether %o is worth another try is known by its code', (error, isRetriable, isAmbiguous) => {
  const failure = S3Failure.of(error)
  expect(failure).toMatchObject({ isRetriable, isAmbiguous })
  expect(failure.message).not.toBe('')
  expect(S3Failure.of(failure)).toBe(failure)
})

test('what is missing, refused or unknown is told apart', () => {
  expect(S3Failure.of(answered(404, 'NotFound')).isMissing).toBe(true)
  expect(S3Failure.of(answered(404, 'NoSuchBucket')).isMissing).toBe(false)
  expect(S3Failure.of(answered(412, 'PreconditionFailed')).isConditionFailed).toBe(true)
  expect(S3Failure.of(answered(501, 'NotImplemented')).isUnsupported).toBe(true)
})

test('how long a server wants to be left alone is heeded, within reason', () => {
  const waits = ['3', '0.5', '-1', '1e9', 'Fri, 31 Dec 2027 23:59:59 GMT', ''].map(
    (wait) => S3Failure.of(answered(503, 'SlowDown', { 'retry-after': wait })).retryAfterMs,
  )
  expect(waits).toEqual([3000, 500, 0, 60_000, 0, 0])
})
