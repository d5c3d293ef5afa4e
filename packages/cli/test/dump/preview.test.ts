import { expect, test } from 'vitest'
import { preview } from '../../src/dump/preview.ts'

test('bytes are shown as text where they are text, with control characters escaped', () => {
  expect(preview(null)).toBe('null')
  expect(preview(Buffer.from(''))).toBe('""')
  expect(preview(Buffer.from('tab\tnew\nline "ü"'))).toBe('"tab\\tnew\\nline \\"ü\\""')
})

test('other bytes are shown as hexadecimal', () => {
  expect(preview(Buffer.from([0xff, 0x00]))).toBe('0xff00')
})

test('long text is cut between characters, and its length said', () => {
  for (const start of ['', 'a', 'ab', 'abc']) {
    const shown = preview(Buffer.from(`${start}${'😀'.repeat(100)}`))
    expect(shown).toMatch(/^"a?b?c?(😀){29,30}"… \(40\d bytes\)$/u)
  }
  expect(preview(Buffer.alloc(200, 0xff))).toBe(`0x${'ff'.repeat(120)}… (200 bytes)`)
})
