import { crc32c, RecordBatchBuilder } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CorruptDigestError,
  decodeSegmentDigest,
  encodeSegmentDigest,
  type SegmentDigest,
  SpineDigest,
  segmentDigestBytesMax,
  spineBytesPerBatch,
} from '../../src/format/segment-digest.ts'
import { Random, seedFromEnvironment } from '../../src/testing/random.ts'

const seed = seedFromEnvironment('segment digest')

const digests: fc.Arbitrary<SegmentDigest> = fc.record({
  sizeBytes: fc.maxSafeNat(),
  batches: fc.maxSafeNat(),
  nextOffset: fc.maxSafeNat(),
  maxTimestamp: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  spineCrc32c: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  timeIndexCrc32c: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  transactionIndexCrc32c: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
})

describe('the spine', () => {
  test('is the CRC-32C over the first 21 bytes of every batch, asked for at any time', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(200), fc.boolean(), (count, askedAt, isWithin) => {
        const random = new Random(seed)
        const spine = new SpineDigest()
        const prefixes: Buffer[] = []
        for (let batch = 0; batch < count; batch += 1) {
          const bytes = random.bytes(26 + random.int(100))
          const before = random.bytes(isWithin ? 10 : 0)
          spine.add(Buffer.concat([before, bytes]), before.length)
          prefixes.push(bytes.subarray(0, spineBytesPerBatch))
          if (batch === askedAt) expect(spine.value).toBe(crc32c(Buffer.concat(prefixes)))
        }
        expect(spine.value).toBe(crc32c(Buffer.concat(prefixes)))
        expect(spine.batches).toBe(count)
      }),
      { seed, numRuns: 50 },
    )
  })

  test('and the CRCs of the batches together notice every flipped bit', () => {
    const builder = (value: string) => new RecordBatchBuilder().append({ value }).build()
    const batches = [builder('one'), builder('two')]
    const spineOf = (list: readonly { readonly bytes: Buffer }[]): number => {
      const spine = new SpineDigest()
      for (const batch of list) spine.add(batch.bytes)
      return spine.value
    }
    const expected = spineOf(batches)
    for (const batch of batches) {
      for (let bit = 0; bit < batch.bytes.length * 8; bit += 1) {
        const at = bit >> 3
        batch.bytes[at] = (batch.bytes[at] ?? 0) ^ (1 << (bit & 7))
        const isNoticed = spineOf(batches) !== expected || !batch.isChecksumValid()
        expect(isNoticed, `bit ${bit}`).toBe(true)
        batch.bytes[at] = (batch.bytes[at] ?? 0) ^ (1 << (bit & 7))
      }
    }
    expect(spineOf(batches)).toBe(expected)
  })
})

describe('the file', () => {
  test('is text, a line for each fact and one that checks the others', () => {
    const text = encodeSegmentDigest({
      sizeBytes: 499,
      batches: 6,
      nextOffset: 8,
      maxTimestamp: 1_700_000_000_007,
      spineCrc32c: 0xbeef,
      timeIndexCrc32c: 0xcafe,
      transactionIndexCrc32c: 0xf00d,
    }).toString()
    expect(text.split('\n').slice(0, 8)).toEqual([
      'version: 0',
      'size_bytes: 499',
      'batches: 6',
      'next_offset: 8',
      'max_timestamp: 1700000000007',
      'spine_crc32c: 0000beef',
      'timeindex_crc32c: 0000cafe',
      'txnindex_crc32c: 0000f00d',
    ])
    expect(text).toMatch(/\ncrc32c: [0-9a-f]{8}\n$/)
  })

  test('reads back as it was', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        const bytes = encodeSegmentDigest(digest)
        expect(bytes.length).toBeLessThanOrEqual(segmentDigestBytesMax)
        expect(decodeSegmentDigest(bytes, 'x')).toEqual(digest)
      }),
      { seed },
    )
  })

  test('with any bit flipped is refused, with its path', () => {
    const bytes = encodeSegmentDigest({
      sizeBytes: 123_456,
      batches: 789,
      nextOffset: 1011,
      maxTimestamp: -1,
      spineCrc32c: 0x12345678,
      timeIndexCrc32c: 7,
      transactionIndexCrc32c: 0x9abcdef0,
    })
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const refusal = expect.objectContaining({ code: 'VARVE_CORRUPT_DIGEST', path: '/d' })
      expect(() => decodeSegmentDigest(flipped, '/d'), `bit ${bit}`).toThrow(refusal)
    }
  })

  test('of any bytes at all is refused, unless it is one', () => {
    const texts = fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(digests, fc.nat(), fc.nat()).map(([digest, from, to]) => {
        const bytes = encodeSegmentDigest(digest)
        return bytes.subarray(from % bytes.length, to % bytes.length)
      }),
    )
    fc.assert(
      fc.property(texts, (bytes) => {
        expect(() => decodeSegmentDigest(bytes, 'x')).toThrow(CorruptDigestError)
      }),
      { seed },
    )
  })
})
