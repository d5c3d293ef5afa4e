import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32, crc32c } from '../src/crc32c.ts'
import { checkProperty } from './property.ts'

const check = Buffer.from('123456789')

test('the checksums of the usual check string are the published ones', () => {
  expect(crc32c(check)).toBe(0xe3069283)
  expect(crc32(check)).toBe(0xcbf43926)
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})

test('a checksum is the same however it is computed: at once, in parts, bit by bit', () => {
  const input = fc.tuple(fc.uint8Array({ maxLength: 700 }), fc.nat(700))
  checkProperty(input, 300, ([bytes, cut]) => {
    const whole = crc32c(bytes)
    expect(whole).toBe(bitwise(bytes, 0x82f63b78))
    expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(whole)
    expect(crc32(bytes)).toBe(bitwise(bytes, 0xedb88320))
    expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes))
  })
})

test('a checksum does not change at the size from which native code computes it', () => {
  for (let size = 250; size < 262; size++) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, index) => (index * 31) & 0xff))
    expect(crc32c(bytes)).toBe(bitwise(bytes, 0x82f63b78))
  }
})

/** The definition. */
function bitwise(bytes: Uint8Array, polynomial: number): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? polynomial : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
