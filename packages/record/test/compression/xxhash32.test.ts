import { expect, test } from 'vitest'
import { xxHash32 } from '../../src/compression/xxhash32.ts'

test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['abcd', 0xa3643705],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('of %j is the published value', (text, hash) => {
  expect(xxHash32(Buffer.from(text))).toBe(hash)
})

test('of the header that Kafka writes has 0x82 in its second byte', () => {
  expect((xxHash32(Buffer.from([0x60, 0x40])) >>> 8) & 0xff).toBe(0x82)
})
