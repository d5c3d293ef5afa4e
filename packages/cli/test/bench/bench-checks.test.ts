import { generatePayload } from '@varve/bench'
import { describe, expect, test } from 'vitest'
import { batchBytesOf, checkKeys, checkPoll, segmentBytesOf } from '../../src/bench/bench-checks.ts'

const payload = generatePayload('json', 100_000, 1, 100_000)

describe('sizes', () => {
  test('are taken up to what can be held', () => {
    expect(batchBytesOf('256MiB')).toBe(2 ** 28)
    expect(segmentBytesOf('2147483647', payload)).toBe(2 ** 31 - 1)
    expect(segmentBytesOf('200KB', payload)).toBe(200_000)
  })

  test('beyond it, or too small for a record, are refused by the name of their option', () => {
    expect(() => batchBytesOf('257MiB')).toThrow(/--batch-size/)
    expect(() => segmentBytesOf('2GiB', payload)).toThrow(/--segment-size/)
    expect(() => segmentBytesOf('100KB', payload)).toThrow(/--segment-size .* must be 10\d{4} to/)
  })
})

test.each([0, 1.5, Number.NaN, 60_001])('%d is no time between two looks', (poll) => {
  expect(() => checkPoll(poll)).toThrow(/--poll/)
})

test('there is at least one key', () => {
  expect(() => checkKeys({ keys: 'uniform', keyRange: 0 })).toThrow(/--key-range/)
  checkKeys({ keys: 'uniform', keyRange: 1 })
})
