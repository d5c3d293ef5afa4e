import { expect, test } from 'vitest'
import { LoopReads } from '../../src/storage/loop-reads.ts'

const mebibyte = 2 ** 20

test('a MiB and a little is read on the loop, and not more', () => {
  const reads = new LoopReads()
  expect(reads.allows(mebibyte + 8 * 1024, 0)).toBe(true)
  expect(reads.allows(2 * mebibyte, 0)).toBe(false)
})

test('after a read that had to wait, only small ones are made for twenty times as long', () => {
  const reads = new LoopReads()
  reads.made(1000, 1010)
  expect(reads.allows(mebibyte, 1010)).toBe(false)
  expect(reads.allows(64 * 1024, 1010)).toBe(true)
  expect(reads.allows(mebibyte, 1209)).toBe(false)
  expect(reads.allows(mebibyte, 1210)).toBe(true)
})

test('reads out of the page cache do not count as waiting', () => {
  const reads = new LoopReads()
  for (let at = 0; at < 100; at++) reads.made(at, at + 0.5)
  expect(reads.allows(mebibyte, 100)).toBe(true)
})
