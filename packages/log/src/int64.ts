import { strict as assert } from 'node:assert'

// Big-endian int64 fields as `number`, without BigInt: they are compared in binary searches and
// written with every group.

const twoTo32 = 2 ** 32

/**
 * The int64 at `position`. Exact within ±(2^53-1); any other value comes out beyond that range, so
 * that `Number.isSafeInteger` tells.
 */
export function readInt64(bytes: Buffer, position: number): number {
  return bytes.readInt32BE(position) * twoTo32 + bytes.readUInt32BE(position + 4)
}

/** `value` must be a safe integer. */
export function writeInt64(bytes: Buffer, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) assert.fail('an int64 field holds a safe integer')
  const high = Math.floor(value / twoTo32)
  bytes.writeInt32BE(high, position)
  bytes.writeUInt32BE(value - high * twoTo32, position + 4)
}
