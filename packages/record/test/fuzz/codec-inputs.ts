import { gzipSync } from 'node:zlib'
import { xxHash32 } from '../../src/compression/xxhash32.ts'
import { type CompressionType, compress } from '../../src/index.ts'
import type { FuzzRandom } from './fuzz-random.ts'
import { mutate } from './mutations.ts'

/** Decompressed bytes that the fuzzer allows: more than any honest sample, far less than a bomb. */
export const decompressedBytesMax = 1024 * 1024

const text = Buffer.from('{"event":"paid","amount":1234,"currency":"EUR"}\n'.repeat(200))
const contents: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.alloc(300),
  text.subarray(0, 500),
  text,
  noise(3000),
  Buffer.concat([noise(12_000), text, Buffer.alloc(12_000)]),
]

/** Valid streams, by codec, and such as only other writers make. */
const streams: Readonly<Record<CompressionType, readonly Buffer[]>> = {
  none: contents,
  gzip: [
    ...contents.map((content) => compress('gzip', content)),
    Buffer.concat([compress('gzip', text), gzipSync('more'), Buffer.alloc(20)]),
    repeated(gzipSync('x'), 5),
    gzipWithExtraFields(),
  ],
  snappy: [
    ...contents.map((content) => compress('snappy', content)),
    ...contents.slice(1).map((content) => snappyBlockOf(content)),
    repeated(compress('snappy', Buffer.from('a')), 5),
    // A block that says it holds 4 GiB, in xerial's framing and bare.
    Buffer.concat([snappyHeader(), int32(6), Buffer.from('ffffffff0f00', 'hex')]),
    Buffer.from('ffffffff0f00', 'hex'),
  ],
  lz4: [
    ...contents.map((content) => compress('lz4', content)),
    lz4Frame(0x60, 0x40, Array(5).fill(Buffer.from([0x10, 0x41]))),
    lz4Frame(0x68, 0x70, []),
    ...[0x40, 0x50, 0x60, 0x70].map((blockSize) => lz4Frame(0x7c, blockSize, [lz4Bomb(10)])),
  ],
  zstd: [
    ...contents.map((content) => compress('zstd', content)),
    ...[0x28, 0x50, 0x80, 0x90, 0xa8, 0xf8].map((window) => zstdRuns(window, 1, 500)),
    // Content sizes of 2^47 and of 64 GiB.
    Buffer.from('28b52ffde0ffffffffffffff7f010000', 'hex'),
    Buffer.from('28b52ffda0ffffffff0300000041', 'hex'),
    Buffer.concat([compress('zstd', text), zstdSkippable(5), compress('zstd', text)]),
    Buffer.from('502a4d18ffffffff00', 'hex'),
  ],
}

/** Little that becomes much, or takes many steps: slow to read, so they come up rarely. */
const bombs: Readonly<Record<CompressionType, readonly Buffer[]>> = {
  none: contents,
  gzip: [
    compress('gzip', Buffer.alloc(8 * 1024 * 1024)),
    repeated(gzipSync('x'), 500),
    Buffer.concat([repeated(gzipSync(''), 500), Buffer.from('not a member')]),
  ],
  snappy: [
    compress('snappy', Buffer.alloc(4 * 1024 * 1024)),
    repeated(compress('snappy', Buffer.from('a')), 300),
    Buffer.concat([snappyHeader(), repeated(int32(0), 2000)]),
  ],
  lz4: [
    lz4Frame(0x60, 0x70, [lz4Bomb(16_000)]),
    lz4Frame(0x60, 0x70, Array(4).fill(lz4Bomb(16_400))),
    lz4Frame(0x60, 0x40, Array(2000).fill(Buffer.from([0]))),
  ],
  zstd: [
    compress('zstd', Buffer.alloc(8 * 1024 * 1024)),
    // The largest window there may be, filled and not, and many blocks without anything in them.
    zstdRuns(0x88, 1, 128 * 1024),
    zstdRuns(0x88, 80, 128 * 1024),
    zstdRuns(0x88, 2000, 0),
    repeated(compress('zstd', Buffer.from('a')), 500),
    repeated(zstdSkippable(0), 1000),
  ],
}

const allStreams = Object.values(streams).flat()

/** A stream for a decoder of this codec: mostly one that was its own, changed, mended or not. */
export function changedStream(random: FuzzRandom, codec: CompressionType): Buffer {
  if (random.oneIn(20)) return random.bytes(random.size(400))
  const isBomb = random.oneIn(200)
  const own = isBomb ? bombs[codec] : streams[codec]
  const stream = random.pick(random.oneIn(20) ? allStreams : own)
  if (random.oneIn(10)) return stream
  const changed = mutate(random, stream, streams[codec])
  if (codec === 'lz4' && !random.oneIn(4)) mendLz4Header(changed)
  return changed
}

/** The one byte of a hash that keeps most changed frames from being looked into. */
function mendLz4Header(bytes: Buffer): void {
  if (bytes.length < 16) return
  const end = (bytes.readUInt8(4) & 0x08) === 0 ? 6 : 14
  bytes[end] = xxHash32(bytes.subarray(4, end)) >>> 8
}

function lz4Frame(flags: number, blockSize: number, blocks: readonly Buffer[]): Buffer {
  const head = Buffer.alloc((flags & 0x08) === 0 ? 7 : 15)
  head.writeUInt32LE(0x184d2204)
  head[4] = flags
  head[5] = blockSize
  const parts: Buffer[] = [head]
  for (const block of blocks) {
    parts.push(int32(block.length).reverse(), block)
    if ((flags & 0x10) !== 0) parts.push(int32(xxHash32(block)).reverse())
  }
  const frame = Buffer.concat([...parts, Buffer.alloc(8)])
  mendLz4Header(frame)
  return frame
}

/** One literal, then a match that repeats it as long as `lengthBytes` can say. */
function lz4Bomb(lengthBytes: number): Buffer {
  const start = Buffer.from([0x1f, 0x41, 0x01, 0x00])
  const end = Buffer.from([0x00, 0x50, 0x41, 0x41, 0x41, 0x41, 0x41])
  return Buffer.concat([start, Buffer.alloc(lengthBytes, 0xff), end])
}

/** A frame of run-length blocks: four bytes of it are up to 128 KiB. */
function zstdRuns(windowDescriptor: number, count: number, size: number): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowDescriptor])
  const run = Buffer.alloc(4, 0x41)
  run.writeUIntLE((size << 3) | (1 << 1), 0, 3)
  const last = Buffer.from(run)
  last[0] = last.readUInt8(0) | 1
  return Buffer.concat([head, ...Array.from({ length: count - 1 }, () => run), last])
}

function zstdSkippable(size: number): Buffer {
  const bytes = Buffer.alloc(8 + size)
  bytes.writeUInt32LE(0x184d2a53)
  bytes.writeUInt32LE(size, 4)
  return bytes
}

function snappyHeader(): Buffer {
  return compress('snappy', Buffer.alloc(0))
}

/** The bare block inside a stream of one chunk. */
function snappyBlockOf(content: Buffer): Buffer {
  return compress('snappy', content.subarray(0, 32 * 1024)).subarray(20)
}

function gzipWithExtraFields(): Buffer {
  const plain = gzipSync('with a name')
  const extra = Buffer.from([4, 0, 1, 2, 3, 4, 0x6e, 0, 0x63, 0, 0, 0])
  const head = Buffer.from(plain.subarray(0, 10))
  head[3] = 0x1e
  return Buffer.concat([head, extra, plain.subarray(10), Buffer.from([1])])
}

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes))
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** Incompressible, and always the same. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 16
  }
  return bytes
}
