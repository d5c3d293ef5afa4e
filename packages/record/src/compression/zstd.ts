import { loadNativeModule } from '../native-module.ts'
import { type Codec, checkLevel, type DecodeContext, DecodeOutput } from './codec.ts'
import { nodeZstd } from './node-zstd.ts'

/** What is used of `zstd-napi/binding`. */
interface ZstdModule {
  readonly CCtx: new () => ZstdCompressor
  readonly DCtx: new () => ZstdDecompressor
  readonly DParameter: { readonly windowLogMax: number }
  readonly ResetDirective: { readonly sessionOnly: number }
  compressBound(size: number): number
}

interface ZstdCompressor {
  compress(target: Uint8Array, source: Uint8Array, level: number): number
}

interface ZstdDecompressor {
  /** Forgets the frame that it is in the middle of, and keeps its settings. */
  reset(directive: number): void
  setParameter(parameter: number, value: number): void
  decompressStream(
    target: Uint8Array,
    source: Uint8Array,
  ): [leftInFrame: number, produced: number, consumed: number]
}

/** The levels of Kafka's compression.zstd.level. */
const levels = { min: -131_072, max: 22, fallback: 3 }

/**
 * Larger windows are refused, as Kafka's reader does. Of a window only what output has filled is
 * ever touched, so a small frame that claims the largest one costs little.
 */
const windowLogMax = 27

/** A decompressor is kept for the next batch unless this one made it hold more than this. */
const keptWindowBytesMax = 1024 * 1024

/** The compressor of higher levels holds too much memory to be kept. */
const keptLevelMax = 9

/** Zstandard frames, as they are; they need not say how large their content is. */
export const zstdCodec: Codec = {
  compress(bytes, level) {
    const checked = checkLevel(level, levels)
    return nodeZstd === null ? compressInPackage(bytes, checked) : nodeZstd.compress(bytes, checked)
  },

  decompress(bytes, context) {
    if (bytes.length === 0) return context.fail('there is no frame')
    return nodeZstd === null
      ? decompressInPackage(bytes, context)
      : nodeZstd.decompress(bytes, context)
  },
}

let loaded: ZstdModule | undefined
let idle: ZstdDecompressor | undefined
let idleCompressor: ZstdCompressor | undefined

function compressInPackage(bytes: Buffer, level: number): Buffer {
  const { CCtx, compressBound } = zstd()
  const target = Buffer.allocUnsafe(compressBound(bytes.length))
  // Each has a megabyte or more, of which the garbage collector does not know.
  const compressor = level > keptLevelMax ? new CCtx() : (idleCompressor ?? new CCtx())
  if (level <= keptLevelMax) idleCompressor = compressor
  return target.subarray(0, compressor.compress(target, bytes, level))
}

function decompressInPackage(bytes: Buffer, context: DecodeContext): Buffer {
  const decompressor = idle ?? createDecompressor()
  // One that is not given back is collected some day; hostile input must not make many of them.
  idle = undefined
  const { maxBytes, into } = context
  const output = new DecodeOutput(Math.max(bytes.length * 4, 1024), maxBytes, into)
  let hasWindow = true
  try {
    hasWindow = decompressInto(output, decompressor, bytes, context) > 1
    return output.finish()
  } finally {
    if (output.length <= keptWindowBytesMax || !hasWindow) {
      decompressor.reset(zstd().ResetDirective.sessionOnly)
      idle = decompressor
    }
  }
}

/** Returns how many calls it took: what is done in one needs no window of its own. */
function decompressInto(
  output: DecodeOutput,
  decompressor: ZstdDecompressor,
  bytes: Buffer,
  context: DecodeContext,
): number {
  let at = 0
  for (let calls = 1; ; calls++) {
    const target = output.bytes.subarray(output.length)
    const source = bytes.subarray(at)
    const [left, produced, consumed] = decompressOnce(decompressor, target, source, context)
    output.advance(produced)
    at += consumed
    if (left === 0 && at === bytes.length) return calls
    if (produced < target.length) {
      if (at === bytes.length) context.fail('the frame is cut off')
    } else if (output.length < context.maxBytes || produced + consumed === 0) {
      // At the limit one more call, without room, finds out whether the frame ends just there.
      output.reserve(1)
    }
  }
}

function decompressOnce(
  decompressor: ZstdDecompressor,
  target: Buffer,
  source: Buffer,
  context: DecodeContext,
): [leftInFrame: number, produced: number, consumed: number] {
  try {
    return decompressor.decompressStream(target, source)
  } catch (error) {
    return context.fail((error as Error).message, error)
  }
}

function createDecompressor(): ZstdDecompressor {
  const { DCtx, DParameter } = zstd()
  const decompressor = new DCtx()
  decompressor.setParameter(DParameter.windowLogMax, windowLogMax)
  return decompressor
}

function zstd(): ZstdModule {
  loaded ??= loadNativeModule<ZstdModule>('zstd-napi/binding', 'zstd compression')
  return loaded
}
