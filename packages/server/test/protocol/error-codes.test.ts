import { expect, test } from 'vitest'
import {
  type ErrorName,
  errorCodes,
  errorMessages,
  errorNameOf,
  isRetriable,
} from '../../src/protocol/error-codes.ts'

const names = Object.keys(errorCodes) as ErrorName[]

test('codes are numbered without a gap, and each has a name and a message of its own', () => {
  expect(names.map((name) => errorCodes[name])).toEqual(names.map((_, index) => index - 1))
  expect(names.map((name) => errorNameOf(errorCodes[name]))).toEqual(names)
  expect(Object.keys(errorMessages)).toEqual(names)
  expect(new Set(Object.values(errorMessages)).size).toBe(names.length)
})

test('a client tries again what passes, and nothing else', () => {
  expect(isRetriable(errorCodes.NOT_COORDINATOR)).toBe(true)
  expect(isRetriable(errorCodes.UNSTABLE_OFFSET_COMMIT)).toBe(true)
  expect(isRetriable(errorCodes.NONE)).toBe(false)
  expect(isRetriable(errorCodes.PRODUCER_FENCED)).toBe(false)
  expect(isRetriable(9999)).toBe(false)
  expect(errorNameOf(9999)).toBe(undefined)
})
