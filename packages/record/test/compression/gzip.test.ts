import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { CorruptBatchError, DecompressionLimitError, decompress } from '../../src/index.ts'

const member = gzipSync('hello ')

describe('gzip', () => {
  test('of several members is one stream', () => {
    const members = Buffer.concat([member, member, gzipSync('world')])
    expect(decompress('gzip', members).toString()).toBe('hello hello world')
  })

  test.each([
    ['zeros', [0, 0, 0, 0]],
    ['noise', [1, 2, 3]],
    ['the beginning of a header', [0x1f, 0x8b]],
    ['a header of an unknown method', [0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('followed by %s is read to its end, as Java does', (_, tail) => {
    expect(decompress('gzip', Buffer.concat([member, Buffer.from(tail)])).toString()).toBe('hello ')
    const two = Buffer.concat([member, member, Buffer.from(tail)])
    expect(decompress('gzip', two).toString()).toBe('hello hello ')
    expect(() => decompress('gzip', two, { maxBytes: 11 })).toThrow(DecompressionLimitError)
  })

  test('with padding and a wrong checksum is refused', () => {
    for (const at of [member.length - 8, member.length - 1]) {
      const damaged = Buffer.concat([member, Buffer.from([1, 2, 3])])
      damaged[at] = damaged.readUInt8(at) ^ 0x10
      expect(() => decompress('gzip', damaged)).toThrow(CorruptBatchError)
    }
  })

  test('with every optional part of its header is read', () => {
    const body = member.subarray(10)
    const fixed = Buffer.from([0x1f, 0x8b, 8, 0x1c, 1, 2, 3, 4, 2, 0x0a])
    const optional = Buffer.from([3, 0, 9, 9, 9, ...Buffer.from('name\0'), ...Buffer.from('why\0')])
    const whole = Buffer.concat([fixed, optional, body])
    expect(decompress('gzip', whole).toString()).toBe('hello ')
    const padded = Buffer.concat([whole, Buffer.from([7])])
    expect(decompress('gzip', padded).toString()).toBe('hello ')
    for (let size = 0; size < fixed.length + optional.length; size++) {
      expect(() => decompress('gzip', whole.subarray(0, size))).toThrow(CorruptBatchError)
    }
  })

  test('whose first bytes are no header is refused', () => {
    expect(() => decompress('gzip', Buffer.from('plain text, not gzip'))).toThrow(/gzip header/)
  })
})
