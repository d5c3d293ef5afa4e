import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decrementSequence, incrementSequence } from '../src/index.ts'
import { checkProperty } from './property.ts'

const max = 2 ** 31 - 1
const sequence = fc.integer({ min: 0, max })

test('a sequence number wraps from 2147483647 to 0', () => {
  expect(incrementSequence(max, 1)).toBe(0)
  expect(incrementSequence(max - 10, 15)).toBe(4)
  expect(incrementSequence(5, 10)).toBe(15)
  expect(incrementSequence(max, 0)).toBe(max)
})

test('a sequence number wraps from 0 to 2147483647', () => {
  expect(decrementSequence(0, 1)).toBe(max)
  expect(decrementSequence(4, 15)).toBe(max - 10)
  expect(decrementSequence(15, 5)).toBe(10)
})

test('stepping on and back ends where it began, modulo 2^31', () => {
  checkProperty(fc.tuple(sequence, sequence), 1000, ([start, by]) => {
    const end = incrementSequence(start, by)
    expect(end).toBe((start + by) % 2 ** 31)
    expect(decrementSequence(end, by)).toBe(start)
  })
})
