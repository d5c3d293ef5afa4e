import * as zlib from 'node:zlib'
import { DecompressionLimitError } from '../errors.ts'
import { type Codec, type DecodeContext, DecodeOutput } from './codec.ts'
import { splitZstdFrames } from './zstd-frames.ts'

/** What is used of Node's own zstd, which came with 22.15 and 23.8: the types of 20 lack it. */
interface NodeZstd {
  zstdCompressSync(bytes: Buffer, options: { readonly params: Record<number, number> }): Buffer
  zstdDecompressSync(
    bytes: Buffer,
    options: {
      readonly params: Record<number, number>
      readonly maxOutputLength: number
      readonly chunkSize: number
    },
  ): Buffer
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number
    readonly ZSTD_d_windowLogMax: number
  }
}

const windowLogMax = 27

/** Output is collected in pieces of this size: few for large batches, no waste for small ones. */
const chunkBytes = { min: 16 * 1024, max: 1024 * 1024 }

/**
 * Node's zstd, which decodes one frame, and takes one that is cut off for one that has ended. So
 * the frames are told apart, and their ends found, before it sees them. Null where
 * the runtime has none.
 */
export const nodeZstd: Codec | null = 'zstdDecompressSync' in zlib ? codecOf(zlib) : null

function codecOf(module: unknown): Codec {
  const { zstdCompressSync, zstdDecompressSync, constants } = module as NodeZstd
  return {
    compress(bytes, level = 3) {
      return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
    },

    decompress(bytes, context) {
      const frames = splitZstdFrames(bytes)
      if (frames === null) return context.fail('it does not consist of whole frames')
      const { maxBytes, into } = context
      const output = new DecodeOutput(Math.max(bytes.length * 4, 1024), maxBytes, into)
      for (const frame of frames) {
        output.append(decompressFrame(frame, context.maxBytes - output.length, context))
      }
      return output.finish()
    },
  }

  function decompressFrame(frame: Buffer, room: number, context: DecodeContext): Buffer {
    const expected = Math.min(Math.max(frame.length * 4, chunkBytes.min), chunkBytes.max)
    try {
      return zstdDecompressSync(frame, {
        params: { [constants.ZSTD_d_windowLogMax]: windowLogMax },
        // Node wants at least 1; that one byte is refused when it is appended.
        maxOutputLength: Math.max(room, 1),
        chunkSize: expected,
      })
    } catch (error) {
      return explain(error, context)
    }
  }
}

function explain(error: unknown, context: DecodeContext): never {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
    throw new DecompressionLimitError(context.maxBytes)
  }
  return context.fail((error as Error).message, error)
}
