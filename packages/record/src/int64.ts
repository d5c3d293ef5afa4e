// Signed 64-bit big-endian integers as `number`. Values that a number cannot hold exactly come back
// as numbers for which `Number.isSafeInteger` is false, never as another exact value: rounding is
// monotone and 2^53 itself is representable. So one check at the edge is enough.

const two32 = 2 ** 32

/** The int64 at `at`; not a safe integer where it lies outside ±(2^53 - 1). */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * two32 + bytes.readUInt32BE(at + 4)
}

/** Writes a safe integer as int64. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / two32)
  bytes.writeInt32BE(high, at)
  bytes.writeUInt32BE(value - high * two32, at + 4)
}
