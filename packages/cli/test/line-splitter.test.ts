import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineSplitter } from '../src/produce/line-splitter.ts'

describe('LineSplitter', () => {
  test('gives the same lines however the bytes are cut into chunks', () => {
    const bytes = fc.array(fc.constantFrom(0x0a, 0x0d, 0x61, 0xff), { maxLength: 60 })
    const cuts = fc.array(fc.nat(60), { maxLength: 8 })
    fc.assert(
      fc.property(bytes, cuts, (content, positions) => {
        const input = Buffer.from(content)
        const splitter = new LineSplitter(1000)
        const lines: string[] = []
        let start = 0
        for (const cut of [...positions.toSorted((a, b) => a - b), input.length]) {
          const end = Math.min(Math.max(cut, start), input.length)
          for (const line of splitter.push(input.subarray(start, end))) lines.push(latin1(line))
          start = end
        }
        const last = splitter.end()
        if (last !== null) lines.push(latin1(last))
        const expected = input.toString('latin1').split('\n')
        if (expected.at(-1) === '') expected.pop()
        expect(lines).toEqual(expected)
      }),
    )
  })

  test('refuses a line beyond the limit, wherever its end is', () => {
    expect(() => new LineSplitter(4).push(Buffer.from('12345\n'))).toThrow("'line 1'")
    const splitter = new LineSplitter(4)
    splitter.push(Buffer.from('1234\n12'))
    expect(() => splitter.push(Buffer.from('345'))).toThrow("'line 2'")
  })
})

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
