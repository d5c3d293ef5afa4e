import { strict as assert } from 'node:assert'

// Signed 64-bit big-endian integers as `number`. Values that a number cannot hold exactly come back
// as numbers for which `Number.isSafeInteger` is false, never as another exact value: rounding is
// monotone and 2^53 itself is representable. So one check at the edge is enough.
//
// Byte by byte: each batch has a dozen of them, and Buffer's methods take three times as long.

const two32 = 2 ** 32

/** The int64 at `at`, which lies within the bytes; not a safe integer outside ±(2^53 - 1). */
export function readInt64(bytes: Uint8Array, at: number): number {
  if (at + 8 > bytes.length) assert.fail('an int64 lies within the bytes')
  return readInt32(bytes, at) * two32 + (readInt32(bytes, at + 4) >>> 0)
}

/** Writes a safe integer as int64. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  if (at + 8 > bytes.length) assert.fail('an int64 lies within the bytes')
  const high = Math.floor(value / two32)
  writeInt32(bytes, at, high)
  writeInt32(bytes, at + 4, value - high * two32)
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
