import { expect, test } from 'vitest'
import { decodeCheckedJson, encodeCheckedJson } from '../../src/base/checked-json.ts'

const format = { magic: 'VTST', version: 3 } as const
const value = { names: ['a', 'ü', '日本'], count: 7, nothing: null }

function fail(reason: string): never {
  throw new Error(reason)
}

test('what was encoded is decoded', () => {
  expect(decodeCheckedJson(format, encodeCheckedJson(format, value), fail)).toEqual(value)
})

test('a file that has lost its end is refused, at every length', () => {
  const bytes = encodeCheckedJson(format, value)
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeCheckedJson(format, bytes.subarray(0, length), fail)).toThrow(Error)
  }
})

test('a file with any bit flipped is refused', () => {
  const bytes = encodeCheckedJson(format, value)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => decodeCheckedJson(format, flipped, fail)).toThrow(Error)
  }
})

test('a file of another kind, or of a version that is not known, is refused and named', () => {
  const bytes = encodeCheckedJson(format, value)
  const other = { ...format, magic: 'VOTH' }
  expect(() => decodeCheckedJson(other, bytes, fail)).toThrow('it does not begin with VOTH')
  const newer = { ...format, version: 4 }
  expect(() => decodeCheckedJson(newer, bytes, fail)).toThrow('its version is 3, known is 4')
})
