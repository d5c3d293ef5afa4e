import { gunzipSync, gzipSync } from 'node:zlib'
import { DecompressionLimitError } from '../errors.ts'
import { type Codec, checkLevel, type DecodeContext } from './codec.ts'

const levels = { min: -1, max: 9, fallback: -1 }

/** Output is collected in pieces of this size: few for large batches, no waste for small ones. */
const chunkBytes = { min: 16 * 1024, max: 1024 * 1024 }

/** RFC 1952, one member written; several are read as one stream, as Java does. */
export const gzipCodec: Codec = {
  compress(bytes, level) {
    return gzipSync(bytes, { level: checkLevel(level, levels) })
  },

  decompress(bytes, context) {
    const expected = Math.min(Math.max(bytes.length * 4, chunkBytes.min), chunkBytes.max)
    try {
      return gunzipSync(bytes, { maxOutputLength: context.maxBytes, chunkSize: expected })
    } catch (error) {
      return explain(error, context)
    }
  },
}

function explain(error: unknown, context: DecodeContext): never {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
    throw new DecompressionLimitError(context.maxBytes)
  }
  return context.fail((error as Error).message, error)
}
