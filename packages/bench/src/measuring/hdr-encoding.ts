import { deflateSync } from 'node:zlib'

// HdrHistogram's V2 encoding, by hand: its JavaScript takes four milliseconds and more for a
// histogram, in which nothing else runs, and what is measured is what runs.

/** With the bits that say that counts have variable lengths. */
const encodingCookie = 0x1c849313
const compressedCookie = 0x1c849314
const headerBytes = 40
const significantDigits = 3
/** 2^42 - 1 nanoseconds: what the buckets of a LatencyHistogram reach to. */
const highestValue = 2n ** 42n - 1n

/** Holds any counts: a run of zeros takes no more than the zeros would, and a count ten bytes. */
let scratch = Buffer.alloc(0)

/**
 * Counts of buckets in the form that the encoding has, in a few kilobytes: quick to take, and the
 * buckets may be used again. Empty without counts.
 */
export function packCounts(counts: Float64Array): Buffer {
  if (scratch.length < counts.length * 10) scratch = Buffer.alloc(counts.length * 10)
  let size = 0
  for (let index = 0; index < counts.length; ) {
    const count = counts[index] ?? 0
    let next = index + 1
    if (count > 0) size = putVarint(size, count * 2)
    else {
      while (next < counts.length && counts[next] === 0) next += 1
      // Several zeros are their number below zero, and numbers below zero are odd ones.
      const zeros = next - index
      size = putVarint(size, zeros === 1 ? 0 : zeros * 2 - 1)
    }
    index = next
  }
  return Buffer.from(scratch.subarray(0, size))
}

/** Seven bits a byte, the lowest first. Counts have more bits than a bit operation. */
function putVarint(at: number, value: number): number {
  let rest = value
  let position = at
  while (rest >= 128) {
    scratch[position] = (rest % 128) + 128
    rest = Math.floor(rest / 128)
    position += 1
  }
  scratch[position] = rest
  return position + 1
}

/** The histogram of packed counts, compressed, in base64: as HdrHistogram's own tools take it. */
export function encodeCounts(packed: Buffer): string {
  const header = Buffer.alloc(headerBytes)
  header.writeInt32BE(encodingCookie, 0)
  header.writeInt32BE(packed.length, 4)
  header.writeInt32BE(significantDigits, 12)
  header.writeBigInt64BE(1n, 16)
  header.writeBigInt64BE(highestValue, 24)
  header.writeDoubleBE(1, 32)
  const compressed = deflateSync(Buffer.concat([header, packed]))
  const frame = Buffer.alloc(8)
  frame.writeInt32BE(compressedCookie, 0)
  frame.writeInt32BE(compressed.length, 4)
  return Buffer.concat([frame, compressed]).toString('base64')
}
