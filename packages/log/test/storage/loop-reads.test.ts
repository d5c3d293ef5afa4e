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
  make(reads, 1000, 1010)
  expect(reads.allows(mebibyte, 1010)).toBe(false)
  expect(reads.allows(64 * 1024, 1010)).toBe(true)
  expect(reads.allows(mebibyte, 1209)).toBe(false)
  expect(reads.allows(mebibyte, 1210)).toBe(true)
})

test('reads out of the page cache do not count as waiting', () => {
  const reads = new LoopReads()
  for (let at = 0; at < 100; at++) make(reads, at, at + 0.5)
  expect(reads.allows(mebibyte, 100)).toBe(true)
})

test('a read that lost its processor has not waited for a disk', () => {
  const reads = new LoopReads(() => 7)
  make(reads, 1000, 1010)
  expect(reads.allows(mebibyte, 1010)).toBe(true)
})

test('a slow read in which the process has waited is one of a disk', () => {
  let waits = 7
  const reads = new LoopReads(() => waits++)
  make(reads, 1000, 1010)
  expect(reads.allows(mebibyte, 1209)).toBe(false)
  expect(reads.allows(mebibyte, 1210)).toBe(true)
})

test('of small reads nobody is asked: slow ones have waited for a disk', () => {
  const reads = new LoopReads(() => {
    throw new Error('asked')
  })
  make(reads, 1000, 1010, 64 * 1024)
  expect(reads.allows(mebibyte, 1209)).toBe(false)
})

function make(reads: LoopReads, fromMs: number, toMs: number, bytes = mebibyte): void {
  reads.begin(bytes, fromMs)
  reads.end(toMs)
}
