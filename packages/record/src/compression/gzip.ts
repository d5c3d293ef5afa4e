import { gunzipSync, gzipSync, inflateRawSync } from 'node:zlib'
import { crc32 } from '../crc32c.ts'
import { DecompressionLimitError } from '../errors.ts'
import { type Codec, checkLevel, type DecodeContext, DecodeOutput } from './codec.ts'
import { gzipHeaderEnd, gzipTrailerBytes } from './gzip-header.ts'

const levels = { min: -1, max: 9, fallback: -1 }

/**
 * Output is collected in pieces of this size: few for large batches, no waste for small ones. Each
 * is garbage afterwards, and so it counts with many small members too.
 */
const chunkBytes = { min: 1024, max: 1024 * 1024 }

/** The same, where it is not known how many members the bytes hold. */
const memberChunkBytesMax = 16 * 1024

/** RFC 1952, one member written; several are read as one stream, as Java does. */
export const gzipCodec: Codec = {
  compress(bytes, level) {
    return gzipSync(bytes, { level: checkLevel(level, levels) })
  },

  decompress(bytes, context) {
    try {
      // Node wants a limit of at least 1; the one byte too many is refused below.
      const maxOutputLength = Math.max(context.maxBytes, 1)
      const output = gunzipSync(bytes, { maxOutputLength, chunkSize: chunkSizeFor(bytes) })
      if (output.length > context.maxBytes) throw new DecompressionLimitError(context.maxBytes)
      return output
    } catch (error) {
      if (isTooLarge(error)) throw new DecompressionLimitError(context.maxBytes)
      if (error instanceof DecompressionLimitError) throw error
      return decompressMembers(bytes, context)
    }
  },
}

/**
 * Member by member, for streams that Node refuses as a whole: Java takes what follows a member and
 * is not the header of another for padding.
 */
function decompressMembers(bytes: Buffer, context: DecodeContext): Buffer {
  const output = new DecodeOutput(Math.max(bytes.length * 4, 1024), context.maxBytes)
  let at = 0
  do {
    const bodyAt = gzipHeaderEnd(bytes, at)
    if (bodyAt === null) {
      if (at === 0) return context.fail('it does not start with a gzip header')
      break
    }
    const { body, sizeBytes } = inflateBody(
      bytes.subarray(bodyAt),
      context.maxBytes - output.length,
      context,
    )
    output.append(body)
    at = bodyAt + sizeBytes + gzipTrailerBytes
    if (at > bytes.length) return context.fail('the checksum is cut off')
    const trailer = at - gzipTrailerBytes
    if (
      bytes.readUInt32LE(trailer) !== crc32(body) ||
      bytes.readUInt32LE(trailer + 4) !== body.length
    ) {
      return context.fail('the checksum or the size does not match')
    }
  } while (at < bytes.length)
  return output.finish()
}

/** What of Node's answer the types do not know: how much of the input belonged to the body. */
interface InflateInfo {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function inflateBody(
  bytes: Buffer,
  room: number,
  context: DecodeContext,
): { readonly body: Buffer; readonly sizeBytes: number } {
  try {
    // How large this member is among those that follow it is not known before.
    const chunkSize = Math.min(chunkSizeFor(bytes), memberChunkBytesMax)
    const options = { maxOutputLength: Math.max(room, 1), chunkSize }
    const result: unknown = inflateRawSync(bytes, { ...options, info: true })
    const { buffer, engine } = result as InflateInfo
    return { body: buffer, sizeBytes: engine.bytesWritten }
  } catch (error) {
    if (isTooLarge(error)) throw new DecompressionLimitError(context.maxBytes)
    return context.fail((error as Error).message, error)
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
}

function chunkSizeFor(bytes: Buffer): number {
  return Math.min(Math.max(bytes.length * 4, chunkBytes.min), chunkBytes.max)
}
