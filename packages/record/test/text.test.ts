import fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8Size, writeUtf8 } from '../src/text.ts'
import { checkProperty } from './property.ts'

const ascii = fc.string({ unit: 'binary-ascii', maxLength: 100 })
/** Lone surrogates among them. */
const anyString = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
  .map((units) => String.fromCharCode(...units))
const text = fc.oneof(ascii, fc.string({ unit: 'grapheme', maxLength: 60 }), anyString)

test('every string is written as Buffer.from writes it, lone surrogates included', () => {
  checkProperty(text, 2000, (string) => {
    const expected = Buffer.from(string)
    const size = utf8Size(string)
    expect(size).toBe(expected.length)
    const bytes = Buffer.alloc(size + 2, 0xee)
    expect(writeUtf8(bytes, 1, string, size)).toBe(size + 1)
    expect(bytes.subarray(1, size + 1).equals(expected)).toBe(true)
    expect([bytes[0], bytes[size + 1]]).toEqual([0xee, 0xee])
  })
})
