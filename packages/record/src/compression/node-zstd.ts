import * as zlib from 'node:zlib'
import { DecompressionLimitError } from '../errors.ts'
import type { Codec, DecodeContext } from './codec.ts'

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

/** Node's zstd; null where the runtime has none. */
export const nodeZstd: Codec | null = 'zstdDecompressSync' in zlib ? codecOf(zlib) : null

function codecOf(module: unknown): Codec {
  const { zstdCompressSync, zstdDecompressSync, constants } = module as NodeZstd
  return {
    compress(bytes, level = 3) {
      return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
    },

    decompress(bytes, context) {
      const expected = Math.min(Math.max(bytes.length * 4, chunkBytes.min), chunkBytes.max)
      try {
        return zstdDecompressSync(bytes, {
          params: { [constants.ZSTD_d_windowLogMax]: windowLogMax },
          maxOutputLength: context.maxBytes,
          chunkSize: expected,
        })
      } catch (error) {
        return explain(error, context)
      }
    },
  }
}

function explain(error: unknown, context: DecodeContext): never {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
    throw new DecompressionLimitError(context.maxBytes)
  }
  return context.fail((error as Error).message, error)
}
