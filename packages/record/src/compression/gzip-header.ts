// Grammar, from RFC 1952; little-endian.
//
//   member   = header, body (deflate), crc uint32 (CRC-32), size uint32 (of the output)
//   header   = 1f 8b, method 8, flags, time uint32, extra flags, system,
//              [size uint16, extra field], [name, 00], [comment, 00],
//              [uint16 of the header's CRC-32]
const headerBytesMin = 10
const deflate = 8
const headerCrcBit = 0x02
const extraBit = 0x04
const nameBit = 0x08
const commentBit = 0x10

export const gzipTrailerBytes = 8

/** Where the body of the member at `start` begins; null when there is no header of a member. */
export function gzipHeaderEnd(bytes: Buffer, start: number): number | null {
  if (start + headerBytesMin > bytes.length) return null
  if (bytes[start] !== 0x1f || bytes[start + 1] !== 0x8b || bytes[start + 2] !== deflate)
    return null
  const flags = bytes.readUInt8(start + 3)
  let at = start + headerBytesMin
  if ((flags & extraBit) !== 0) {
    if (at + 2 > bytes.length) return null
    at += 2 + bytes.readUInt16LE(at)
  }
  for (const bit of [nameBit, commentBit]) {
    if ((flags & bit) === 0) continue
    const end = bytes.indexOf(0, at)
    if (end < 0) return null
    at = end + 1
  }
  if ((flags & headerCrcBit) !== 0) at += 2
  return at <= bytes.length ? at : null
}
