import { spineBytesPerBatch } from '../format/segment-digest.ts'

// A spine that does not agree tells more than that. CRCs are linear: two messages of one length
// that differ in one bit have CRCs that differ by a pattern which depends only on how far that bit
// is from the end, and for CRC-32C the patterns of all distances below 2^31 differ. So the
// difference of the CRC that was stored and the one that was found names the one bit that was
// flipped, if only one was.

/** CRC-32C's polynomial, its bits reflected as in the checksum. */
const reflectedPolynomial = 0x82f63b78

/** A bit of the spine: of which batch, and in which of its first bytes. */
export interface SpineBit {
  /** Number of the batch in its segment, from 0. */
  readonly batch: number
  /** Position in the batch. */
  readonly byte: number
  readonly mask: number
}

/**
 * The single bit whose flip turns a spine with the checksum `stored` into one with `found`; null
 * when no single bit does, and so more than one was changed.
 */
export function findFlippedSpineBit(
  stored: number,
  found: number,
  batches: number,
): SpineBit | null {
  const wanted = (stored ^ found) >>> 0
  if (wanted === 0) return null
  const bytes = batches * spineBytesPerBatch
  // The pattern of the message's very last bit, the highest of the last byte; then backwards.
  let pattern = reflectedPolynomial
  for (let byte = bytes - 1; byte >= 0; byte -= 1) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      if (pattern === wanted) {
        const batch = Math.floor(byte / spineBytesPerBatch)
        return { batch, byte: byte - batch * spineBytesPerBatch, mask: 1 << bit }
      }
      pattern = ((pattern >>> 1) ^ ((pattern & 1) === 0 ? 0 : reflectedPolynomial)) >>> 0
    }
  }
  return null
}
