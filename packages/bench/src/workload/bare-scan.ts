import type { File, FileSystem } from '@varve/log'
import { listSegments } from '@varve/log/files'
import { crc32c } from '@varve/record'

const chunkBytes = 2 ** 20
/** Of a batch: where its length, its checksum, and what that is over, stand. */
const lengthAt = 8
const checksumAt = 17
const checkedFrom = 21
const headerBytes = 61
const bytesBeforeLength = 12

/**
 * Reads a log's segments and computes the checksum of every batch, with as little as possible
 * around it: what recovery has to do at least. With `rewrites`, also writes everything back where
 * it was and flushes it, as is due above a recovery point. Resolves with the bytes of whole batches
 * whose checksum is right.
 */
export async function bareScan(fs: FileSystem, log: string, rewrites: boolean): Promise<number> {
  let bytes = 0
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  for (const { path } of listSegments(fs, log)) {
    const file = fs.open(path, rewrites ? 'write' : 'read')
    try {
      bytes += scanFile(file, buffer, rewrites)
      if (rewrites) await file.datasync()
    } finally {
      file.close()
    }
  }
  return bytes
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
