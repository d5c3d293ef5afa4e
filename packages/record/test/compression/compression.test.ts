import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CompressionType,
  CorruptBatchError,
  compress,
  DecompressionLimitError,
  decompress,
  defaultMaxDecompressedBytes,
  InvalidArgumentError,
  VarveError,
} from '../../src/index.ts'
import { checkProperty } from '../property.ts'
import { sampleNoise, sampleText } from './sample-bytes.ts'

const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const compressing = codecs.filter((type) => type !== 'none')

/** Small ones in all variety, and large ones that take several blocks of every framing. */
const content = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200_000 }).map(sampleText) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200_000 }).map(sampleNoise) },
)

describe.each(codecs)('%s', (type) => {
  test('gives back whatever went in', () => {
    checkProperty(content, 100, (bytes) => {
      expect(decompress(type, compress(type, bytes)).equals(bytes)).toBe(true)
    })
  })

  test('gives back blocks of exactly the framing sizes', () => {
    for (const size of [0, 1, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 131_072]) {
      for (const bytes of [sampleText(size), sampleNoise(size)]) {
        expect(decompress(type, compress(type, bytes)).equals(bytes)).toBe(true)
      }
    }
  })

  test('takes bytes that are not a Buffer', () => {
    const bytes = new Uint8Array(sampleText(500))
    const compressed = new Uint8Array(compress(type, bytes))
    expect(decompress(type, compressed).equals(bytes)).toBe(true)
  })

  test('decompresses up to the limit and refuses one byte more', () => {
    for (const size of [1, 100, 40_000, 140_000]) {
      for (const bytes of [sampleText(size), sampleNoise(size)]) {
        const compressed = compress(type, bytes)
        expect(decompress(type, compressed, { maxBytes: size }).length).toBe(size)
        const tooLow = () => decompress(type, compressed, { maxBytes: size - 1 })
        expect(tooLow).toThrow(DecompressionLimitError)
        expect(() => decompress(type, compressed, { maxBytes: 0 })).toThrow(DecompressionLimitError)
      }
    }
  })
})

describe.each(compressing)('%s that is not whole or not its own', (type) => {
  test('is refused at every length short of its own, with the position given', () => {
    const compressed = compress(type, sampleText(700))
    for (let size = 0; size < compressed.length; size++) {
      let outcome: unknown
      try {
        outcome = decompress(type, compressed.subarray(0, size), { position: 4711 })
      } catch (error) {
        outcome = error
      }
      // xerial's framing has no end, so its header alone is a whole stream of nothing, and as in
      // snappy-java up to three bytes behind a chunk are none.
      const isWhole = type === 'snappy' && size >= 16 && size < 20
      if (isWhole) expect(outcome).toHaveLength(0)
      else {
        expect(outcome).toBeInstanceOf(CorruptBatchError)
        expect(outcome).toMatchObject({ position: 4711 })
      }
    }
  })

  test('never yields more than the limit, and no error but a typed one', () => {
    checkProperty(fc.uint8Array({ maxLength: 200 }), 500, (bytes) => {
      expectBoundedOrTyped(type, Buffer.from(bytes))
    })
  })

  test('with bytes changed never yields more than the limit, and no error but a typed one', () => {
    const original = compress(type, Buffer.concat([sampleText(70_000), sampleNoise(500)]))
    const changes = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    })
    const near = fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { minLength: 1, maxLength: 4 })
    checkProperty(fc.oneof(changes, near), 400, (list) => {
      const bytes = Buffer.from(original)
      for (const [at, value] of list) bytes[at] = value
      expectBoundedOrTyped(type, bytes)
    })
  })

  test('claiming much and holding little costs no memory to speak of', () => {
    const bomb = compress(type, Buffer.alloc(32 * 1024 * 1024))
    const before = process.memoryUsage().rss
    for (let round = 0; round < 20; round++) {
      expect(() => decompress(type, bomb, { maxBytes: 100_000 })).toThrow(DecompressionLimitError)
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024)
  })
})

test('what is not a codec, a level or a limit is refused by name', () => {
  const bytes = Buffer.from('x')
  for (const type of ['brotli', '', 'toString', '__proto__']) {
    expect(() => compress(type as CompressionType, bytes)).toThrow(InvalidArgumentError)
    expect(() => decompress(type as CompressionType, bytes)).toThrow(InvalidArgumentError)
  }
  const levels: readonly [CompressionType, number][] = [
    ['gzip', 10],
    ['gzip', -2],
    ['gzip', 1.5],
    ['lz4', 0],
    ['lz4', 18],
    ['zstd', 23],
    ['zstd', Number.NaN],
    ['snappy', 1],
    ['none', 1],
  ]
  for (const [type, level] of levels) {
    expect(() => compress(type, bytes, level)).toThrow(/compressionLevel/)
  }
  expect(() => decompress('gzip', bytes, { maxBytes: -1 })).toThrow(/maxBytes/)
  expect(() => decompress('gzip', bytes, { maxBytes: Number.NaN })).toThrow(/maxBytes/)
})

test('every level there is can be read back', () => {
  const bytes = sampleText(5000)
  const levels: readonly [CompressionType, readonly number[]][] = [
    ['gzip', [-1, 0, 1, 9]],
    ['lz4', [1, 9, 17]],
    ['zstd', [-131_072, -1, 1, 22]],
  ]
  for (const [type, list] of levels) {
    for (const level of list) {
      expect(decompress(type, compress(type, bytes, level)).equals(bytes)).toBe(true)
    }
  }
})

test('the default limit is in proportion to what is decompressed, with a floor and a ceiling', () => {
  const mebibyte = 2 ** 20
  expect(defaultMaxDecompressedBytes(0)).toBe(24 * mebibyte)
  expect(defaultMaxDecompressedBytes(mebibyte)).toBe(32 * mebibyte)
  expect(defaultMaxDecompressedBytes(10 * mebibyte)).toBe(128 * mebibyte)
  expect(defaultMaxDecompressedBytes(200 * mebibyte)).toBe(200 * mebibyte)
})

test('a small bomb is refused by the default limit', () => {
  const zeros = Buffer.alloc(25 * 2 ** 20)
  for (const type of ['gzip', 'zstd'] as const) {
    expect(() => decompress(type, compress(type, zeros))).toThrow(DecompressionLimitError)
  }
})

function expectBoundedOrTyped(type: CompressionType, bytes: Buffer): void {
  const maxBytes = 100_000
  try {
    expect(decompress(type, bytes, { maxBytes }).length).toBeLessThanOrEqual(maxBytes)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  }
}
