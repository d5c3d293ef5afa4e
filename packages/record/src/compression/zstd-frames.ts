// Grammar, from RFC 8878; little-endian. Only as much of it as tells where a frame ends.
//
//   frame      = magic uint32, descriptor, [window], [dictionary id], [content size], block+,
//                [checksum uint32]
//   block      = header uint24: bit 0 last, bits 1-2 type, then the size; bytes
//   skippable  = magic uint32 (16 of them), size uint32, bytes
const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const skippableMask = 0xfffffff0

const magicBytes = 4
const singleSegmentBit = 0x20
const checksumBit = 0x04
const checksumBytes = 4
const dictionaryIdBytes = [0, 1, 2, 4] as const
const contentSizeBytes = [0, 2, 4, 8] as const

const blockHeaderBytes = 3
const runBlock = 1
const reservedBlock = 3

/** Cuts a stream into its frames, skippable ones left out; null when it does not end with one. */
export function splitZstdFrames(bytes: Buffer): Buffer[] | null {
  const frames: Buffer[] = []
  let start = 0
  while (start < bytes.length) {
    if (start + 2 * magicBytes > bytes.length) return null
    const magic = bytes.readUInt32LE(start)
    const isSkippable = (magic & skippableMask) >>> 0 === skippableMagic
    const end = isSkippable
      ? start + 2 * magicBytes + bytes.readUInt32LE(start + magicBytes)
      : endOfFrame(bytes, start, magic)
    if (!(end <= bytes.length)) return null
    if (!isSkippable) frames.push(bytes.subarray(start, end))
    start = end
  }
  return frames
}

/** NaN when it is not a frame, and beyond the bytes, or NaN, when it is cut off. */
function endOfFrame(bytes: Buffer, start: number, magic: number): number {
  if (magic !== frameMagic) return Number.NaN
  const descriptor = bytes.readUInt8(start + magicBytes)
  const isSingleSegment = (descriptor & singleSegmentBit) !== 0
  let at = start + magicBytes + 1 + (isSingleSegment ? 0 : 1)
  at += dictionaryIdBytes[(descriptor & 0x03) as 0 | 1 | 2 | 3]
  const sizeFlag = (descriptor >>> 6) as 0 | 1 | 2 | 3
  at += sizeFlag === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeFlag]
  let isLast = false
  while (!isLast) {
    if (at + blockHeaderBytes > bytes.length) return Number.NaN
    const header = bytes.readUIntLE(at, blockHeaderBytes)
    isLast = (header & 1) === 1
    const type = (header >>> 1) & 0x03
    if (type === reservedBlock) return Number.NaN
    at += blockHeaderBytes + (type === runBlock ? 1 : header >>> 3)
  }
  return at + ((descriptor & checksumBit) === 0 ? 0 : checksumBytes)
}
