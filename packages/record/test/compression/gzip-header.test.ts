import { expect, test } from 'vitest'
import { gzipHeaderEnd } from '../../src/compression/gzip-header.ts'

const plain = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]

test('a header ends behind its optional parts', () => {
  expect(gzipHeaderEnd(Buffer.from(plain), 0)).toBe(10)
  expect(gzipHeaderEnd(Buffer.from([9, ...plain, 1]), 1)).toBe(11)
  expect(gzipHeaderEnd(withFlags(0x02, [1, 2]), 0)).toBe(12)
  expect(gzipHeaderEnd(withFlags(0x04, [2, 0, 5, 5]), 0)).toBe(14)
  expect(gzipHeaderEnd(withFlags(0x08, [0x61, 0]), 0)).toBe(12)
  expect(gzipHeaderEnd(withFlags(0x1e, [0, 0, 0, 0x61, 0, 1, 2]), 0)).toBe(17)
})

test('what is cut off or something else has no header', () => {
  expect(gzipHeaderEnd(Buffer.from(plain.slice(0, 9)), 0)).toBeNull()
  expect(gzipHeaderEnd(withFlags(0x02, [1]), 0)).toBeNull()
  expect(gzipHeaderEnd(withFlags(0x04, [1]), 0)).toBeNull()
  expect(gzipHeaderEnd(withFlags(0x04, [255, 255, 0]), 0)).toBeNull()
  expect(gzipHeaderEnd(withFlags(0x08, [0x61]), 0)).toBeNull()
  expect(gzipHeaderEnd(Buffer.alloc(20), 0)).toBeNull()
})

function withFlags(flags: number, optional: readonly number[]): Buffer {
  const bytes = Buffer.from([...plain, ...optional])
  bytes[3] = flags
  return bytes
}
