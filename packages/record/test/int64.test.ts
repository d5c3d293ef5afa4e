import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readInt64, writeInt64 } from '../src/int64.ts'
import { checkProperty } from './property.ts'

test('a safe integer is written and read back as the int64 it is', () => {
  checkProperty(fc.maxSafeInteger(), 2000, (value) => {
    const bytes = Buffer.alloc(10)
    writeInt64(bytes, 1, value)
    expect(bytes.readBigInt64BE(1)).toBe(BigInt(value))
    expect(readInt64(bytes, 1)).toBe(value)
  })
})

test('an int64 beyond 2^53 is read as something that is not a safe integer', () => {
  checkProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 2000, (value) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    const read = readInt64(bytes, 0)
    if (Number.isSafeInteger(Number(value))) expect(BigInt(read)).toBe(value)
    else expect(Number.isSafeInteger(read)).toBe(false)
  })
})

test('the integers next to 2^53 are exact or not safe', () => {
  for (let distance = -3n; distance <= 3n; distance++) {
    for (const value of [2n ** 53n + distance, -(2n ** 53n) + distance]) {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(value)
      const read = readInt64(bytes, 0)
      if (Number.isSafeInteger(read)) expect(BigInt(read)).toBe(value)
      else expect(value >= 2n ** 53n || value <= -(2n ** 53n)).toBe(true)
    }
  }
})
