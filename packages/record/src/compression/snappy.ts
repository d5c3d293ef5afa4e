import { DecompressionLimitError, NativeModuleError } from '../errors.ts'
import { loadNativeModule } from '../native-module.ts'
import { type Codec, type DecodeContext, DecodeOutput, refuseLevel } from './codec.ts'

/** What is used of the package `snappy`: raw blocks, without any framing. */
interface SnappyModule {
  compressSync(bytes: Uint8Array): Buffer
  uncompressSync(bytes: Uint8Array, options: { readonly asBuffer: true }): Buffer
}

// Grammar, from snappy-java's SnappyOutputStream and SnappyInputStream ("xerial" framing):
//
//   stream  = (header chunk*)+   or one bare block, which old C clients wrote
//   header  = 82 "SNAPPY" 00, version int32, least compatible version int32
//   chunk   = size int32, block      big-endian, unlike everything else that is called snappy
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const headerBytes = magic.length + 4 + 4
const version = 1

/** The first four bytes of a header where a chunk's size is expected: a stream was appended. */
const magicAsSize = magic.readInt32BE(0)

/** Input per chunk, as snappy-java's default. */
const chunkBytes = 32 * 1024

/** The densest element of a block makes 64 bytes out of three. */
const ratioMax = 64 / 3

let loaded: SnappyModule | undefined

/** Snappy as Kafka has it: xerial's framing, not the official one. */
export const snappyCodec: Codec = {
  compress(bytes, level) {
    refuseLevel(level)
    const header = Buffer.alloc(headerBytes)
    magic.copy(header)
    header.writeInt32BE(version, magic.length)
    header.writeInt32BE(version, magic.length + 4)
    const parts: Buffer[] = [header]
    for (let start = 0; start < bytes.length; start += chunkBytes) {
      const block = snappy().compressSync(bytes.subarray(start, start + chunkBytes))
      const size = Buffer.allocUnsafe(4)
      size.writeInt32BE(block.length)
      parts.push(size, block)
    }
    return Buffer.concat(parts)
  },

  decompress(bytes, context) {
    if (bytes.length === 0) return context.fail('there is no stream')
    if (!isHeaderAt(bytes, 0)) return decompressBlock(bytes, context, context.maxBytes)
    checkVersion(bytes, context)
    const output = new DecodeOutput(Math.max(bytes.length * 4, 1024), context.maxBytes)
    let at = headerBytes
    // As in snappy-java, fewer than four bytes at the end are no chunk and no error.
    while (at + 4 <= bytes.length) {
      const size = bytes.readInt32BE(at)
      if (size === magicAsSize) {
        if (at + headerBytes > bytes.length) return context.fail('an appended header is cut off')
        if (!isHeaderAt(bytes, at)) break
        at += headerBytes
        continue
      }
      at += 4
      if (size < 0 || at + size > bytes.length) return context.fail(`a chunk of ${size} bytes`)
      output.append(
        decompressBlock(bytes.subarray(at, at + size), context, context.maxBytes - output.length),
      )
      at += size
    }
    return output.finish()
  },
}

function isHeaderAt(bytes: Buffer, at: number): boolean {
  const end = at + headerBytes
  return end <= bytes.length && bytes.compare(magic, 0, magic.length, at, at + magic.length) === 0
}

function checkVersion(bytes: Buffer, context: DecodeContext): void {
  const found = bytes.readInt32BE(magic.length)
  if (found < version) context.fail(`version ${found} of the framing is unknown`)
}

/** The size a block claims is checked before any memory is taken for it. */
function decompressBlock(block: Buffer, context: DecodeContext, room: number): Buffer {
  const size = claimedSize(block)
  if (size === undefined || size > block.length * ratioMax) {
    return context.fail('a block has an impossible size')
  }
  if (size > room) throw new DecompressionLimitError(context.maxBytes)
  try {
    return snappy().uncompressSync(block, { asBuffer: true })
  } catch (error) {
    if (error instanceof NativeModuleError) throw error
    return context.fail('a block is damaged', error)
  }
}

/** A block begins with its uncompressed size as an unsigned varint of 32 bits. */
function claimedSize(block: Buffer): number | undefined {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) return undefined
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return size
  }
  return undefined
}

function snappy(): SnappyModule {
  loaded ??= loadNativeModule<SnappyModule>('snappy', 'snappy compression')
  return loaded
}
