import { CorruptBatchError, RecordBatchBuilder } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { type BatchStretch, findBatch } from '../../src/read/batch-search.ts'
import { StretchCache } from '../../src/read/stretch-cache.ts'
import type { ReadableSegment } from '../../src/segments/read-source.ts'
import { ReadCache } from '../../src/storage/read-cache.ts'

const limit = 1_000_000

function stretchOf(
  position: number,
  compressionType: 'none' | 'gzip' = 'none',
  valueBytes = 100,
): BatchStretch {
  const { bytes } = new RecordBatchBuilder({ compressionType, baseOffset: position })
    .append({ value: 'v'.repeat(valueBytes) })
    .build()
  const place = { position, firstLastOffset: -1, previousOffset: -1, nextOffset: limit }
  return { bytes, ...place, limit: position + bytes.length }
}

/** As much of a segment as is asked for here. */
function segmentAt(baseOffset: number): ReadableSegment {
  return { baseOffset, identity: {} } as unknown as ReadableSegment
}

function keep(cache: StretchCache, segment: ReadableSegment, stretch: BatchStretch): void {
  const found = findBatch(stretch, Number(stretch.position))
  if (found !== null) cache.keep(segment, stretch, found, true)
}

describe('a stretch of a segment', () => {
  test('is kept when it is read for the second time, as a copy', () => {
    const segment = segmentAt(0)
    const cache = new StretchCache(new ReadCache(2 ** 20))
    const stretch = stretchOf(500)
    keep(cache, segment, stretch)
    expect(cache.find(segment.identity, 500)).toBeUndefined()
    keep(cache, segment, stretch)
    stretch.bytes.fill(0)
    const opened = cache.find(segment.identity, 500)?.open(500, true)
    expect(opened?.records.find(500)?.valueSize).toBe(100)
    expect(cache.find(segment.identity, 500)?.open(500, true)).toBe(opened)
    expect(cache.find(segment.identity, 500)?.open(501, true)).toBeNull()
    expect(cache.find({}, 500)).toBeUndefined()
  })

  test('that was not checked is checked before it is given to who asks for that', () => {
    const segment = segmentAt(0)
    const cache = new StretchCache(new ReadCache(2 ** 20))
    const stretch = stretchOf(500)
    stretch.bytes.writeUInt8(0x7f, stretch.bytes.length - 2)
    const found = findBatch(stretch, 500)
    if (found === null) throw new Error('there is a batch')
    for (let round = 0; round < 2; round++) cache.keep(segment, stretch, found, false)
    const kept = cache.find(segment.identity, 500)
    expect(kept?.open(500, false)).not.toBeNull()
    expect(() => kept?.open(500, true)).toThrow(CorruptBatchError)
  })

  test('counts with what its batch takes decompressed, and gives its room back', () => {
    const [one, two] = [segmentAt(0), segmentAt(1)] as const
    const room = new ReadCache(2 ** 20)
    const cache = new StretchCache(room)
    for (let round = 0; round < 2; round++) keep(cache, one, stretchOf(500, 'gzip', 50_000))
    expect(room.sizeBytes).toBeGreaterThan(50_000)
    for (let round = 0; round < 2; round++) keep(cache, two, stretchOf(500))
    cache.drop(one.identity)
    expect(cache.find(one.identity, 500)).toBeUndefined()
    expect(room.sizeBytes).toBeLessThan(10_000)
    cache.dropAll()
    expect(room.sizeBytes).toBe(0)
  })

  test('gives way to others when there is no room', () => {
    const segment = segmentAt(0)
    const room = new ReadCache(100_000)
    const cache = new StretchCache(room)
    for (let position = 0; position < 500; position++) {
      for (let round = 0; round < 2; round++) keep(cache, segment, stretchOf(position))
      expect(room.sizeBytes).toBeLessThanOrEqual(100_000)
    }
    const isThere = (position: number): boolean =>
      cache.find(segment.identity, position)?.open(position, true) !== undefined
    expect([isThere(0), isThere(499)]).toEqual([false, true])
  })
})
