import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteCursor, varintSize, varlongSize, writeVarint, writeVarlong } from '../src/varint.ts'
import { checkProperty } from './property.ts'

const int32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, -1))
const safeInteger = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, -(2 ** 31) - 1),
)

const examples: readonly [number, string][] = [
  [0, '00'],
  [-1, '01'],
  [1, '02'],
  [-64, '7f'],
  [64, '8001'],
  [2147483647, 'feffffff0f'],
  [-2147483648, 'ffffffff0f'],
  [-604718036, 'a78fdac004'],
]

describe('a varint', () => {
  test.each(examples)('of %i is 0x%s', (value, hex) => {
    expect(encodeVarint(value).toString('hex')).toBe(hex)
    expect(cursorOver(encodeVarint(value)).readVarint()).toBe(value)
  })

  test('is read back as it was written, and is as long as was said', () => {
    checkProperty(int32, 2000, (value) => {
      const bytes = encodeVarint(value)
      expect(bytes.length).toBe(varintSize(value))
      expect(bytes.toString('hex')).toBe(zigzagHex(BigInt(value)))
      const cursor = cursorOver(bytes)
      expect(cursor.readVarint()).toBe(value)
      expect(cursor.position).toBe(bytes.length)
    })
  })

  test('that is cut off is not a number', () => {
    const bytes = encodeVarint(2 ** 31 - 1)
    for (let size = 0; size < bytes.length; size++) {
      expect(cursorOver(bytes.subarray(0, size)).readVarint()).toBeNaN()
    }
  })

  test('longer than five bytes is not a number', () => {
    expect(cursorOver(Buffer.from('808080808000', 'hex')).readVarint()).toBeNaN()
  })

  test('may be longer than it need be, within five bytes', () => {
    expect(cursorOver(Buffer.from('8280808000', 'hex')).readVarint()).toBe(1)
  })
})

describe('a varlong', () => {
  test.each(examples)('of %i is 0x%s', (value, hex) => {
    expect(encodeVarlong(value).toString('hex')).toBe(hex)
  })

  test('is read back as it was written, and is as long as was said', () => {
    checkProperty(safeInteger, 5000, (value) => {
      const bytes = encodeVarlong(value)
      expect(bytes.length).toBe(varlongSize(value))
      expect(bytes.toString('hex')).toBe(zigzagHex(BigInt(value)))
      const cursor = cursorOver(bytes)
      expect(cursor.readVarlong()).toBe(value)
      expect(cursor.position).toBe(bytes.length)
    })
  })

  test('of any int64 is its exact value or, beyond 2^53, not a number', () => {
    checkProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 5000, (value) => {
      const bytes = Buffer.from(zigzagHex(value), 'hex')
      const isSafe = Number.isSafeInteger(Number(value))
      expect(cursorOver(bytes).readVarlong()).toBe(isSafe ? Number(value) : Number.NaN)
      const cursor = cursorOver(bytes)
      expect(cursor.skipVarlong()).toBe(true)
      expect(cursor.position).toBe(bytes.length)
    })
  })

  test('at the edges of 2^53 is exact or not a number, never rounded', () => {
    for (let distance = -3n; distance <= 3n; distance++) {
      for (const value of [2n ** 53n + distance, -(2n ** 53n) + distance]) {
        const read = cursorOver(Buffer.from(zigzagHex(value), 'hex')).readVarlong()
        if (Number.isNaN(read)) expect(Number.isSafeInteger(Number(value))).toBe(false)
        else expect(BigInt(read)).toBe(value)
      }
    }
  })

  test('longer than ten bytes is neither read nor skipped', () => {
    const bytes = Buffer.from(`${'80'.repeat(10)}00`, 'hex')
    expect(cursorOver(bytes).readVarlong()).toBeNaN()
    expect(cursorOver(bytes).skipVarlong()).toBe(false)
  })
})

function cursorOver(bytes: Uint8Array): ByteCursor {
  return new ByteCursor(bytes, 0, bytes.length)
}

function encodeVarint(value: number): Buffer {
  const bytes = Buffer.alloc(16)
  return bytes.subarray(0, writeVarint(bytes, 0, value))
}

function encodeVarlong(value: number): Buffer {
  const bytes = Buffer.alloc(16)
  return bytes.subarray(0, writeVarlong(bytes, 0, value))
}

/** The definition, in arbitrary precision. */
function zigzagHex(value: bigint): string {
  let rest = value < 0n ? -value * 2n - 1n : value * 2n
  const bytes: number[] = []
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes).toString('hex')
}
