import { describe, expect, test } from 'vitest'
import { xxHash32 } from '../../src/compression/xxhash32.ts'
import {
  CorruptBatchError,
  compress,
  DecompressionLimitError,
  decompress,
} from '../../src/index.ts'
import { sampleNoise, sampleText } from './sample-bytes.ts'

const independent = 0x60
const blockHash = 0x10
const contentSize = 0x08
const contentHash = 0x04
const storedBit = 0x80000000

/** Two literals, then a run of them: an LZ4 block of "abababababab". */
const runBlock = Buffer.from([0x24, 0x61, 0x62, 2, 0, 0x20, 0x61, 0x62])
const runText = 'abababababab'

describe('lz4 as written', () => {
  test('is a frame of independent 64 KiB blocks with the right header checksum and an end', () => {
    const frame = compress('lz4', sampleText(100_000))
    expect(frame.subarray(0, 7).toString('hex')).toBe('04224d18604082')
    expect(blocksOf(frame)).toHaveLength(2)
    expect(frame.subarray(-4).toString('hex')).toBe('00000000')
  })

  test('stores what does not become smaller as it is', () => {
    const noise = sampleNoise(70_000)
    const [first, second] = blocksOf(compress('lz4', noise))
    expect(first).toMatchObject({ isStored: true })
    expect(first?.bytes.equals(noise.subarray(0, 65_536))).toBe(true)
    expect(second?.bytes.equals(noise.subarray(65_536))).toBe(true)
  })

  test('of nothing is a frame without blocks', () => {
    expect(compress('lz4', Buffer.alloc(0)).toString('hex')).toBe('04224d1860408200000000')
  })
})

describe('lz4 as read', () => {
  test.each([0x40, 0x50, 0x60, 0x70])('may have the block size 0x%s', (blockSize) => {
    expect(decompress('lz4', frame({ blockSize })).toString()).toBe(runText)
  })

  test('may fill its largest block', () => {
    const block = sampleNoise(4 * 1024 * 1024)
    const whole = frame({ blockSize: 0x70, blocks: [stored(block)] })
    expect(decompress('lz4', whole).equals(block)).toBe(true)
  })

  test('may say its content size, which is not believed', () => {
    const flags = independent | contentSize
    expect(decompress('lz4', frame({ flags, size: 12n })).toString()).toBe(runText)
    expect(decompress('lz4', frame({ flags, size: 2n ** 63n })).toString()).toBe(runText)
  })

  test('has the checksums of its blocks verified', () => {
    const flags = independent | blockHash
    const hash = uint32(xxHash32(runBlock))
    const right = Buffer.concat([packed(runBlock), hash])
    expect(decompress('lz4', frame({ flags, blocks: [right, right] })).toString()).toBe(
      runText + runText,
    )
    const wrong = Buffer.concat([packed(runBlock), uint32(xxHash32(runBlock) ^ 1)])
    expect(() => decompress('lz4', frame({ flags, blocks: [wrong] }))).toThrow(
      /checksum of a block/,
    )
  })

  test('has the checksum of its content in place but not verified, as Kafka does', () => {
    const flags = independent | contentHash
    const tail = Buffer.from([0, 0, 0, 0, 1, 2, 3, 4])
    expect(decompress('lz4', frame({ flags, tail })).toString()).toBe(runText)
    const cutOff = frame({ flags, tail: tail.subarray(0, 6) })
    expect(() => decompress('lz4', cutOff)).toThrow(CorruptBatchError)
  })

  test('is ignored behind its end mark', () => {
    expect(
      decompress('lz4', frame({ tail: Buffer.from('00000000ffffffff', 'hex') })).toString(),
    ).toBe(runText)
  })

  test('ends at a stored block of no bytes too', () => {
    const tail = Buffer.from('00000080', 'hex')
    expect(decompress('lz4', frame({ tail })).toString()).toBe(runText)
  })

  test('with a wrong header checksum is refused, but in magic 0, which wrote it wrong', () => {
    const bytes = frame({ headerHash: 0x1a })
    expect(() => decompress('lz4', bytes)).toThrow(/frame header/)
    expect(() => decompress('lz4', bytes, { magic: 1 })).toThrow(/frame header/)
    expect(decompress('lz4', bytes, { magic: 0 }).toString()).toBe(runText)
  })

  test.each([
    ['reserved flags', { flags: 0x61 }],
    ['a dictionary', { flags: 0x62 }],
    ['blocks that depend on each other', { flags: 0x40 }],
    ['version 0', { flags: 0x20 }],
    ['version 2', { flags: 0xa0 }],
    ['a reserved bit beside its block size', { blockSize: 0x41 }],
    ['a reserved bit above its block size', { blockSize: 0xc0 }],
    ['a block size below the least', { blockSize: 0x30 }],
    ['another magic number', { magic: 0x184d2205 }],
    ['no end', { tail: Buffer.alloc(0) }],
    ['half an end', { tail: Buffer.alloc(3) }],
  ])('with %s is refused', (_, parts) => {
    expect(() => decompress('lz4', frame(parts))).toThrow(CorruptBatchError)
  })

  test('with a block longer than its block size is refused', () => {
    const blocks = [stored(Buffer.alloc(65_537))]
    expect(() => decompress('lz4', frame({ blocks }))).toThrow(/a block of 65537 bytes/)
    const size = uint32(65_537)
    expect(() => decompress('lz4', frame({ blocks: [size] }))).toThrow(CorruptBatchError)
  })

  test('with a block that decodes to more than its block size is refused', () => {
    // One literal, then a run of it: 15 + 255 * 300 + 4 bytes and more.
    const run = Buffer.from([
      0x1f,
      0x61,
      1,
      0,
      ...Array.from({ length: 300 }, () => 255),
      0,
      0x10,
      0x61,
    ])
    expect(() => decompress('lz4', frame({ blocks: [packed(run)] }))).toThrow(/damaged/)
    const larger = frame({ blocks: [packed(run)], blockSize: 0x50 })
    expect(decompress('lz4', larger).length).toBeGreaterThan(65_536)
    expect(() => decompress('lz4', larger, { maxBytes: 1000 })).toThrow(DecompressionLimitError)
  })

  test.each([
    ['reaches in front of itself', [0x14, 0x61, 2, 0, 0x10, 0x61]],
    ['has a distance of 0', [0x14, 0x61, 0, 0, 0x10, 0x61]],
    ['has fewer literals than it says', [0x50, 0x61]],
    ['has a size without an end', [0xf0, 0xff, 0xff]],
  ])('with a block that %s is refused', (_, block) => {
    expect(() => decompress('lz4', frame({ blocks: [packed(Buffer.from(block))] }))).toThrow(
      CorruptBatchError,
    )
  })
})

interface FrameParts {
  readonly magic?: number
  readonly flags?: number
  readonly blockSize?: number
  readonly size?: bigint
  readonly headerHash?: number
  readonly blocks?: readonly Buffer[]
  readonly tail?: Buffer
}

/** A frame put together by hand; what is not said is as Kafka writes it. */
function frame(parts: FrameParts): Buffer {
  const { flags = independent, blockSize = 0x40, blocks = [packed(runBlock)] } = parts
  const size = Buffer.alloc(parts.size === undefined ? 0 : 8)
  if (parts.size !== undefined) size.writeBigUInt64LE(parts.size)
  const descriptor = Buffer.concat([Buffer.from([flags, blockSize]), size])
  const hash = parts.headerHash ?? (xxHash32(descriptor) >>> 8) & 0xff
  return Buffer.concat([
    uint32(parts.magic ?? 0x184d2204),
    descriptor,
    Buffer.from([hash]),
    ...blocks,
    parts.tail ?? Buffer.alloc(4),
  ])
}

function packed(block: Buffer): Buffer {
  return Buffer.concat([uint32(block.length), block])
}

function stored(block: Buffer): Buffer {
  return Buffer.concat([uint32(block.length + storedBit), block])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

function blocksOf(bytes: Buffer): { readonly isStored: boolean; readonly bytes: Buffer }[] {
  const blocks = []
  let at = 7
  while (bytes.readUInt32LE(at) !== 0) {
    const word = bytes.readUInt32LE(at)
    const size = word % storedBit
    blocks.push({ isStored: word >= storedBit, bytes: bytes.subarray(at + 4, at + 4 + size) })
    at += 4 + size
  }
  return blocks
}
