import { closeSync, openSync, readSync } from 'node:fs'
import { crc32c } from '@varve/record'

/** Told of a record: where its key and its value lie in `bytes`. */
export type VisitRecord = (
  bytes: Buffer,
  keyAt: number,
  keySize: number,
  valueAt: number,
  valueSize: number,
) => void

/**
 * Reads a file of uncompressed batches of magic 2 with nothing around it, the limit for reading
 * records: one buffer that is used again, a checksum for each batch, and for each record the
 * varints that lead to its key and value. No object for a batch or record, no bounds checks, no
 * other format, no index, no watermark.
 */
export function readRecordsBarely(path: string, chunkBytes: number, visit: VisitRecord): void {
  const descriptor = openSync(path, 'r')
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  let position = 0
  for (;;) {
    const filled = readSync(descriptor, buffer, 0, chunkBytes, position)
    let start = 0
    while (filled - start >= 61) {
      const end = start + 12 + buffer.readInt32BE(start + 8)
      if (end > filled) break
      visitRecords(buffer, start, end, visit)
      start = end
    }
    if (start === 0) break
    position += start
  }
  closeSync(descriptor)
}

function visitRecords(buffer: Buffer, start: number, end: number, visit: VisitRecord): void {
  if (crc32c(buffer.subarray(start + 21, end)) !== buffer.readUInt32BE(start + 17)) {
    throw new Error(`bad checksum at ${start}`)
  }
  let at = start + 61
  // Reads a varint of up to three bytes, which is all there are here.
  const varint = (): number => {
    let byte = buffer[at++] as number
    let zigzag = byte & 0x7f
    if (byte >= 0x80) {
      byte = buffer[at++] as number
      zigzag |= (byte & 0x7f) << 7
      if (byte >= 0x80) zigzag |= (buffer[at++] as number) << 14
    }
    return (zigzag >>> 1) ^ -(zigzag & 1)
  }
  while (at < end) {
    const length = varint()
    const next = at + length
    at += 1
    varint()
    varint()
    const keySize = varint()
    const keyAt = at
    at += keySize
    const valueSize = varint()
    visit(buffer, keyAt, keySize, at, valueSize)
    at = next
  }
}
