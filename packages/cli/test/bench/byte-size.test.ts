import { expect, test } from 'vitest'
import { parseByteSize } from '../../src/bench/byte-size.ts'

test.each([
  ['65536', 65_536],
  ['64KiB', 65_536],
  ['1.5 GB', 1_500_000_000],
  ['10m', 10_000_000],
  ['2gib', 2_147_483_648],
])('%s is %d bytes', (given, bytes) => {
  expect(parseByteSize('--size', given)).toBe(bytes)
})

test.each(['', 'GiB', '-1', '0', '1 potato', '1e9', '99999999TiB'])(
  '%j is refused by the name of its option',
  (given) => {
    expect(() => parseByteSize('--size', given)).toThrow(/--size/)
  },
)
