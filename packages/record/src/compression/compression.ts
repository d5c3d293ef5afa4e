import { constants } from 'node:buffer'
import { CorruptBatchError, DecompressionLimitError, InvalidArgumentError } from '../errors.ts'
import type { FilePosition } from '../units.ts'
import { asBuffer, type Codec, refuseLevel } from './codec.ts'
import { type CompressionType, compressionIdOf, compressionTypeOf } from './compression-type.ts'
import { gzipCodec } from './gzip.ts'
import { lz4Codec } from './lz4.ts'
import { snappyCodec } from './snappy.ts'
import { zstdCodec } from './zstd.ts'

/** Any batch may have so many decompressed bytes, however few it has compressed. */
const leastLimitBytes = 24 * 1024 * 1024
/** A larger batch may grow so many times when it is decompressed. */
const limitRatio = 32
/** And no batch may have more, unless it has as many compressed. */
const greatestLimitBytes = 128 * 1024 * 1024

/**
 * Decompressed bytes that a batch of so many compressed ones may have unless its reader says
 * otherwise: 24 MiB, or 32 times the compressed size where that is more, and at most 128 MiB.
 * Kafka's producers fill batches of 16 KiB to 1 MiB, counted before compression, so this is far
 * from them; and it keeps a few kilobytes of bomb from taking the process's memory: decompressing
 * takes about twice what comes of it.
 */
export function defaultMaxDecompressedBytes(compressedBytes: number): number {
  const inProportion = Math.max(leastLimitBytes, compressedBytes * limitRatio)
  return Math.max(compressedBytes, Math.min(inProportion, greatestLimitBytes))
}

export interface DecompressOptions {
  /**
   * More decompressed bytes than this are refused.
   *
   * @defaultValue {@link defaultMaxDecompressedBytes}
   */
  readonly maxBytes?: number
  /**
   * Of the batch the bytes are from; magic 0 wrote its LZ4 frames a little wrong. @defaultValue 2
   */
  readonly magic?: 0 | 1 | 2
  /** Of the batch the bytes are from, for errors. @defaultValue 0 */
  readonly position?: FilePosition
  /**
   * Memory for what comes of it, which is a view of it then. LZ4 and zstd make use of it, and only
   * as long as it has room. @defaultValue fresh memory
   */
  readonly into?: Buffer
}

const codecs = {
  none: { compress: compressNone, decompress: decompressNone },
  gzip: gzipCodec,
  snappy: snappyCodec,
  lz4: lz4Codec,
  zstd: zstdCodec,
} satisfies Record<CompressionType, Codec>

/**
 * Compresses a batch's records as Kafka frames them.
 *
 * @param level gzip: -1 (default) to 9; zstd: -131072 to 22; lz4: 1 to 17, which all mean the one
 *   compressor there is here; snappy and none know no levels. Without it, the codec's own default.
 * @throws {InvalidArgumentError} when there is no such codec or level.
 * @throws {NativeModuleError} when the codec's package cannot be loaded.
 */
export function compress(type: CompressionType, bytes: Uint8Array, level?: number): Buffer {
  return codecOf(type).compress(asBuffer(bytes), level)
}

/**
 * Decompresses a batch's records: everything that Kafka's own readers accept, and nothing larger
 * than the limit.
 *
 * @throws {CorruptBatchError} when the bytes are not that codec's.
 * @throws {DecompressionLimitError}
 * @throws {NativeModuleError} when the codec's package cannot be loaded.
 */
export function decompress(
  type: CompressionType,
  bytes: Uint8Array,
  options: DecompressOptions = {},
): Buffer {
  const { magic = 2, position = 0, into = null } = options
  const { maxBytes = defaultMaxDecompressedBytes(bytes.length) } = options
  if (!(maxBytes >= 0)) throw new InvalidArgumentError('maxBytes', maxBytes, 'must be at least 0')
  const context = {
    maxBytes: Math.min(Math.floor(maxBytes), constants.MAX_LENGTH),
    ...{ magic, into },
    fail(reason: string, cause?: unknown): never {
      throw new CorruptBatchError(`${type}: ${reason}`, position, { cause })
    },
  }
  return codecOf(type).decompress(asBuffer(bytes), context)
}

function codecOf(type: CompressionType): Codec {
  const known = compressionTypeOf(compressionIdOf(type))
  if (known === undefined) {
    throw new InvalidArgumentError('compressionType', type, 'none, gzip, snappy, lz4 or zstd')
  }
  return codecs[known]
}

function compressNone(bytes: Buffer, level?: number): Buffer {
  refuseLevel(level)
  return bytes
}

function decompressNone(bytes: Buffer, { maxBytes }: { readonly maxBytes: number }): Buffer {
  if (bytes.length > maxBytes) throw new DecompressionLimitError(maxBytes)
  return bytes
}
