import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { generatePayload, payloadOfFile } from '../../src/payload/payload.ts'

describe('generated payloads', () => {
  test.each([
    ['json', 0.1, 0.4],
    ['text', 0.33, 0.5],
    ['compressed', 0.99, 1.02],
  ] as const)('%s has its size, and the entropy that it stands for', (kind, least, most) => {
    const { values, description } = generatePayload(kind, 1000, 7)
    expect(values.every(({ length }) => length === 1000)).toBe(true)
    expect(new Set(values.slice(0, 100).map(String)).size).toBe(100)
    const sample = Buffer.concat(values.slice(0, 64))
    const ratio = gzipSync(sample).length / sample.length
    expect(ratio).toBeGreaterThan(least)
    expect(ratio).toBeLessThan(most)
    expect(description).toContain('gzip to')
  })

  test('are the same for the same seed, and others for another', () => {
    const [first, same, other] = [1, 1, 2].map((seed) => generatePayload('text', 100, seed))
    expect(same?.values[5]).toEqual(first?.values[5])
    expect(other?.values[5]).not.toEqual(first?.values[5])
  })

  test.each([0, -1, 1.5])('a size of %d is refused', (size) => {
    expect(() => generatePayload('json', size, 1)).toThrow(/recordBytes/)
  })

  test('large values are few, so that they fit the memory', () => {
    const { values } = generatePayload('compressed', 2 ** 20, 1)
    expect(values.length).toBe(16)
  })
})

describe('payloads of a file', () => {
  test('are what stands between delimiters, without empty ones', () => {
    const { values } = payloadOfFile(Buffer.from('one\n\ntwo\nthree'), '\n', 'file')
    expect(values.map(String)).toEqual(['one', 'two', 'three'])
  })

  test('a delimiter may have several characters', () => {
    expect(payloadOfFile(Buffer.from('a--b'), '--', 'file').values.map(String)).toEqual(['a', 'b'])
  })

  test('a file without any is refused by its name, and so is an empty delimiter', () => {
    expect(() => payloadOfFile(Buffer.from('\n\n'), '\n', 'empty.txt')).toThrow(/empty\.txt/)
    expect(() => payloadOfFile(Buffer.from('a'), '', 'file')).toThrow(/payloadDelimiter/)
  })
})
