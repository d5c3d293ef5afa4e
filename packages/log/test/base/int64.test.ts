import { AssertionError } from 'node:assert'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readInt64, writeInt64 } from '../../src/base/int64.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'

const seed = seedFromEnvironment('int64')
const { MAX_SAFE_INTEGER: max, MIN_SAFE_INTEGER: min } = Number

test('safe integers are written as BigInt writes them and read back', () => {
  const edges = [0, 1, -1, 2 ** 32, 2 ** 32 - 1, -(2 ** 32), 2 ** 31, max, min]
  const values = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges))
  fc.assert(
    fc.property(values, (value) => {
      const bytes = Buffer.alloc(10)
      writeInt64(bytes, 1, value)
      expect(bytes.readBigInt64BE(1)).toBe(BigInt(value))
      expect(readInt64(bytes, 1)).toBe(value)
    }),
    { seed },
  )
})

test('any other int64 is read as a number that is no safe integer', () => {
  const edges = [2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), -(2n ** 53n) - 1n, 2n ** 63n - 1n]
  const values = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(...edges, -(2n ** 63n)),
  )
  fc.assert(
    fc.property(values, (value) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      const read = readInt64(bytes, 0)
      const isSafe = value >= BigInt(min) && value <= BigInt(max)
      expect(Number.isSafeInteger(read)).toBe(isSafe)
      if (isSafe) expect(BigInt(read)).toBe(value)
    }),
    { seed },
  )
})

test('what is no safe integer is not written', () => {
  for (const value of [2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => writeInt64(Buffer.alloc(8), 0, value)).toThrow(AssertionError)
  }
})
