import { crc32c, type Offset, type Timestamp, VarveError } from '@varve/record'

/**
 * What was true of a segment when it was sealed. Ours; Kafka ignores the file, `<base20>.digest`.
 *
 * A batch's CRC does not cover the batch's first 21 bytes: base offset, length, leader epoch, magic
 * and the CRC itself (of magic 0 and 1: part of what they cover is among those bytes too, which
 * does no harm). The *spine* is the CRC-32C over the first 21 bytes of every batch, one after the
 * other. So the spine and the batches' CRCs together cover every byte of the segment, at the cost
 * of 21 bytes of checksum a batch.
 */
export interface SegmentDigest {
  readonly sizeBytes: number
  readonly batches: number
  readonly nextOffset: Offset
  /** -1 when no batch has one. */
  readonly maxTimestamp: Timestamp
  readonly spineCrc32c: number
  /** Of the `.timeindex`. */
  readonly timeIndexCrc32c: number
  /**
   * Of the `.txnindex`, 0 when that is empty or not there. These two are believed when they are
   * read; what the offset index says is compared with the batch to which it points.
   */
  readonly transactionIndexCrc32c: number
}

/** So many bytes of every batch go into the spine. The smallest batch, of magic 0, has 26. */
export const spineBytesPerBatch = 21

/** Prefixes are gathered and checksummed together: one call for 64 of them instead of 64. */
const gatheredBytes = 64 * spineBytesPerBatch

/** The spine of a segment as it grows, batch by batch in the order of the file. */
export class SpineDigest {
  #crc: number
  #batches: number
  /** Made when it is needed: a log that nobody appends to has nothing to gather. */
  #gathered: Buffer | null = null
  #gatheredEnd = 0

  /** `start`: where a digest of the batches before left off; none by default. */
  constructor(start: { readonly crc: number; readonly batches: number } = { crc: 0, batches: 0 }) {
    this.#crc = start.crc
    this.#batches = start.batches
  }

  /** `start` is where the batch, or just its first 21 bytes, begins in `bytes`. */
  add(bytes: Uint8Array, start = 0): void {
    if (this.#gatheredEnd === gatheredBytes) this.#digestGathered()
    this.#gathered ??= Buffer.alloc(gatheredBytes)
    const gathered = this.#gathered
    const end = this.#gatheredEnd
    for (let index = 0; index < spineBytesPerBatch; index += 1) {
      gathered[end + index] = bytes[start + index] as number
    }
    this.#gatheredEnd = end + spineBytesPerBatch
    this.#batches += 1
  }

  get batches(): number {
    return this.#batches
  }

  /** CRC-32C over the prefixes of all batches so far, an unsigned 32-bit integer. */
  get value(): number {
    this.#digestGathered()
    return this.#crc
  }

  #digestGathered(): void {
    if (this.#gatheredEnd === 0 || this.#gathered === null) return
    this.#crc = crc32c(this.#gathered.subarray(0, this.#gatheredEnd), this.#crc)
    this.#gatheredEnd = 0
  }
}

/** A digest file is not what `encodeSegmentDigest` writes. The segment itself may be fine. */
export class CorruptDigestError extends VarveError {
  readonly code = 'VARVE_CORRUPT_DIGEST'
  readonly path: string
  /** What is wrong, without the place. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`corrupt segment digest ${path}: ${reason}`, {
      hint: 'the digest can be made anew from its segment, after verifying that',
    })
    this.path = path
    this.reason = reason
  }
}

/** Larger than any digest file: what a reader need read at most. */
export const segmentDigestBytesMax = 512

// Text in the manner of Kafka's small files, one `name: value` a line, always in this order. The
// last line is the CRC-32C of all lines before it, so that damage to this file is not taken for
// damage to the segment, nor believed.
const digestPattern = new RegExp(
  [
    '^version: 0',
    'size_bytes: (\\d{1,16})',
    'batches: (\\d{1,16})',
    'next_offset: (\\d{1,16})',
    'max_timestamp: (-1|\\d{1,16})',
    'spine_crc32c: ([0-9a-f]{8})',
    'timeindex_crc32c: ([0-9a-f]{8})',
    'txnindex_crc32c: ([0-9a-f]{8})',
    'crc32c: ([0-9a-f]{8})',
    '$',
  ].join('\n'),
)

export function encodeSegmentDigest(digest: SegmentDigest): Buffer {
  const lines = [
    'version: 0',
    `size_bytes: ${digest.sizeBytes}`,
    `batches: ${digest.batches}`,
    `next_offset: ${digest.nextOffset}`,
    `max_timestamp: ${digest.maxTimestamp}`,
    `spine_crc32c: ${hex32(digest.spineCrc32c)}`,
    `timeindex_crc32c: ${hex32(digest.timeIndexCrc32c)}`,
    `txnindex_crc32c: ${hex32(digest.transactionIndexCrc32c)}`,
    '',
  ].join('\n')
  return Buffer.from(`${lines}crc32c: ${hex32(crc32c(Buffer.from(lines, 'latin1')))}\n`, 'latin1')
}

/** Strict: throws CorruptDigestError for anything that `encodeSegmentDigest` does not write. */
export function decodeSegmentDigest(bytes: Buffer, path: string): SegmentDigest {
  if (bytes.length > segmentDigestBytesMax) throw new CorruptDigestError(path, 'it is too long')
  const text = bytes.toString('latin1')
  if (!text.startsWith('version: 0\n')) throw new CorruptDigestError(path, 'its version is not 0')
  const match = digestPattern.exec(text)
  if (match === null) throw new CorruptDigestError(path, 'its lines are not those of a digest')
  const digest: SegmentDigest = {
    sizeBytes: Number(match[1]),
    batches: Number(match[2]),
    nextOffset: Number(match[3]),
    maxTimestamp: Number(match[4]),
    spineCrc32c: Number.parseInt(match[5] ?? '', 16),
    timeIndexCrc32c: Number.parseInt(match[6] ?? '', 16),
    transactionIndexCrc32c: Number.parseInt(match[7] ?? '', 16),
  }
  if (!Object.values(digest).every(Number.isSafeInteger)) {
    throw new CorruptDigestError(path, 'a number exceeds 2^53-1')
  }
  if (!encodeSegmentDigest(digest).equals(bytes)) {
    throw new CorruptDigestError(path, 'its own checksum does not agree')
  }
  return digest
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0')
}
