import { expect, test } from 'vitest'
import { SpineDigest, spineBytesPerBatch } from '../../src/format/segment-digest.ts'
import { Random, seedFromEnvironment } from '../../src/testing/index.ts'
import { findFlippedSpineBit } from '../../src/verify/spine-difference.ts'

const seed = seedFromEnvironment('spine difference')

function spineOf(headers: Buffer): number {
  const spine = new SpineDigest()
  for (let start = 0; start < headers.length; start += spineBytesPerBatch) spine.add(headers, start)
  return spine.value
}

test('names every single bit that can be flipped in the headers of a segment', () => {
  const batches = 7
  const headers = new Random(seed).bytes(batches * spineBytesPerBatch)
  const stored = spineOf(headers)
  for (let bit = 0; bit < headers.length * 8; bit += 1) {
    const byte = bit >> 3
    const mask = 1 << (bit & 7)
    headers[byte] = (headers[byte] ?? 0) ^ mask
    const batch = Math.floor(byte / spineBytesPerBatch)
    const expected = { batch, byte: byte - batch * spineBytesPerBatch, mask }
    expect(findFlippedSpineBit(stored, spineOf(headers), batches)).toEqual(expected)
    headers[byte] = (headers[byte] ?? 0) ^ mask
  }
})

test('names none when nothing was changed, or two bits were', () => {
  const batches = 5
  const random = new Random(seed)
  const headers = random.bytes(batches * spineBytesPerBatch)
  const stored = spineOf(headers)
  expect(findFlippedSpineBit(stored, stored, batches)).toBeNull()
  for (let round = 0; round < 500; round += 1) {
    const changed = Buffer.from(headers)
    const first = random.int(headers.length * 8)
    const second = (first + 1 + random.int(headers.length * 8 - 1)) % (headers.length * 8)
    for (const bit of [first, second])
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(findFlippedSpineBit(stored, spineOf(changed), batches)).toBeNull()
  }
})
