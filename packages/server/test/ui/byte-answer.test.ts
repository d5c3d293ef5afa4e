import { expect, test } from 'vitest'
import { bytesAnswer } from '../../src/ui/byte-answer.ts'

test('bytes that are UTF-8 are told as text, others in base64', () => {
  expect(bytesAnswer(Buffer.from('grün'), 100)).toEqual({ size: 5, shown: 5, text: 'grün' })
  const binary = Buffer.from([0xff, 0x00])
  expect(bytesAnswer(binary, 100)).toEqual({ size: 2, shown: 2, base64: '/wA=' })
  expect(bytesAnswer(Buffer.alloc(0), 100)).toEqual({ size: 0, shown: 0, text: '' })
})

test('a cut divides no character, and its text is the beginning of the whole', () => {
  const text = 'a€𝄞é'.repeat(50)
  const whole = Buffer.from(text)
  for (let max = 1; max <= whole.length; max++) {
    const { shown, size, text: told = 'none' } = bytesAnswer(whole, max)
    expect(size).toBe(whole.length)
    expect(text.startsWith(told)).toBe(true)
    expect(Buffer.byteLength(told)).toBe(shown)
    expect(max - shown).toBeLessThan(4)
  }
})

test('bytes that only look like divided characters are bytes', () => {
  const { base64, shown } = bytesAnswer(Buffer.alloc(100, 0x80), 10)
  expect(shown).toBe(10)
  expect(Buffer.from(base64 ?? '', 'base64')).toEqual(Buffer.alloc(10, 0x80))
})
