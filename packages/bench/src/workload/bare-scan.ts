import type { File, FileSystem } from '@varve/log'
import { listSegments } from '@varve/log/files'
import { crc32c, type Offset } from '@varve/record'

const chunkBytes = 2 ** 20
/** Of a batch: where its length, its checksum, and what that is over, stand. */
const lengthAt = 8
const checksumAt = 17
const checkedFrom = 21
const headerBytes = 61
const bytesBeforeLength = 12

export interface BareScan {
  /** Those with offsets below `fromOffset` alone are left alone. @defaultValue 0 */
  readonly fromOffset?: Offset
  /** Also writes everything back where it was, and flushes it. */
  readonly rewrites: boolean
}

export interface BareScanned {
  /** Of the first segment that was read. */
  readonly baseOffset: Offset
  readonly segments: number
  /** Of the segments' files, also behind what is right. */
  readonly readBytes: number
  /** Of whole batches whose checksum is right. */
  readonly soundBytes: number
}

/**
 * Reads a log's segments from the one that holds an offset on, and computes the checksum of every
 * batch, with as little as possible around it: what recovery has to do at least. Rewriting is due
 * above a recovery point.
 */
export async function bareScan(
  fs: FileSystem,
  log: string,
  { fromOffset = 0, rewrites }: BareScan,
): Promise<BareScanned> {
  const listed = listSegments(fs, log)
  const first = listed.findLastIndex(({ baseOffset }) => baseOffset <= fromOffset)
  const segments = listed.slice(Math.max(0, first))
  let readBytes = 0
  let soundBytes = 0
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  for (const { path } of segments) {
    const file = fs.open(path, rewrites ? 'write' : 'read')
    try {
      readBytes += file.sizeBytes()
      soundBytes += scanFile(file, buffer, rewrites)
      if (rewrites) await file.datasync()
    } finally {
      file.close()
    }
  }
  const baseOffset = segments[0]?.baseOffset ?? 0
  return { baseOffset, segments: segments.length, readBytes, soundBytes }
}

function scanFile(file: File, given: Buffer, rewrites: boolean): number {
  let position = 0
  let buffer = given
  for (;;) {
    const filled = file.readSync(buffer, position)
    const sound = soundBytes(buffer, filled)
    if (sound === 0) {
      const whole = filled >= bytesBeforeLength ? sizeAt(buffer, 0) : 0
      // A batch that is larger than what is read at once, unless nothing more can come.
      if (filled < buffer.length || whole <= buffer.length || whole > 2 ** 30) return position
      buffer = Buffer.allocUnsafeSlow(whole)
      continue
    }
    if (rewrites) file.writeSync(buffer.subarray(0, sound), position)
    position += sound
  }
}

function soundBytes(buffer: Buffer, filled: number): number {
  let start = 0
  while (filled - start >= headerBytes) {
    const end = start + sizeAt(buffer, start)
    if (end > filled || end - start < headerBytes) break
    const checksum = crc32c(buffer.subarray(start + checkedFrom, end))
    if (checksum !== buffer.readUInt32BE(start + checksumAt)) break
    start = end
  }
  return start
}

function sizeAt(buffer: Buffer, start: number): number {
  return bytesBeforeLength + buffer.readInt32BE(start + lengthAt)
}
