import { expect, test } from 'vitest'
import { MessageReader, WireDamage } from '../../src/protocol/message-reader.ts'

const readerOf = (hex: string): MessageReader => new MessageReader(Buffer.from(hex, 'hex'), 0, 10)

test('integers are big-endian, with their sign', () => {
  const reader = readerOf('ff' + '8000' + '8000' + '80000001' + 'ffe0000000000001' + '01')
  expect(reader.int8()).toBe(-1)
  expect(reader.int16()).toBe(-32_768)
  expect(reader.uint16()).toBe(32_768)
  expect(reader.int32()).toBe(-(2 ** 31) + 1)
  expect(reader.int64()).toBe(Number.MIN_SAFE_INTEGER)
  expect(reader.bool()).toBe(true)
  reader.expectEnd()
})

test.each([
  ['00', 0],
  ['7f', 127],
  ['8001', 128],
  ['ffffffff07', 2 ** 31 - 1],
  // Not the shortest form, but the same number.
  ['8000', 0],
])('the unsigned varint %s is %d', (hex, value) => {
  const reader = readerOf(hex)
  expect(reader.unsignedVarint()).toBe(value)
  reader.expectEnd()
})

test.each(['ffffffff08', 'ffffffff0f', 'ffffffffff01', '80', 'ffffffff', ''])(
  'the unsigned varint %s is refused',
  (hex) => {
    expect(() => readerOf(hex).unsignedVarint()).toThrow(WireDamage)
  },
)

test('text is UTF-8 of any length, and what is none becomes U+FFFD', () => {
  for (const text of ['', 'a', 'short', 'just as long', 'ü', 'sieben€', '😀 and more of it']) {
    const bytes = Buffer.from(text)
    expect(new MessageReader(bytes, 0, 0).text(bytes.length)).toBe(text)
  }
  expect(readerOf('61ff62').text(3)).toBe('a\ufffdb')
})

test('a uuid is 22 characters, and those of nothing are A', () => {
  expect(readerOf('00'.repeat(16)).uuid()).toBe('A'.repeat(22))
  expect(readerOf('ff'.repeat(16)).uuid()).toBe('_____________________w')
})

test('nothing is read beyond the end', () => {
  for (const read of [
    (reader: MessageReader) => reader.int16(),
    (reader: MessageReader) => reader.int64(),
    (reader: MessageReader) => reader.float64(),
    (reader: MessageReader) => reader.uuid(),
    (reader: MessageReader) => reader.view(2),
    (reader: MessageReader) => reader.text(2),
    (reader: MessageReader) => reader.skip(2),
  ]) {
    const reader = readerOf('01')
    expect(() => read(reader)).toThrow('and 1 are left')
    expect(reader.position).toBe(0)
  }
})

test('lengths below -1, and strings beyond 32767 bytes, are refused', () => {
  expect(readerOf('ffff').stringLength(false)).toBe(-1)
  expect(() => readerOf('fffe').stringLength(false)).toThrow('a length is -2')
  expect(() => readerOf('fffffffe').length(false)).toThrow('a length is -2')
  expect(readerOf('808002').stringLength(true)).toBe(32_767)
  expect(() => readerOf('818002').stringLength(true)).toThrow('a string has 32768 bytes')
})

test('elements are counted over all arrays', () => {
  const reader = readerOf('00'.repeat(20))
  reader.expectElements(6, 1)
  reader.expectElements(4, 5)
  expect(() => reader.expectElements(1, 1)).toThrow('the message has too many elements')
})
