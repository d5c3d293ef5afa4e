import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type IndexFile, IndexPages } from '../../src/format/index-pages.ts'
import { OffsetIndex } from '../../src/format/offset-index.ts'
import { ReadCache } from '../../src/storage/read-cache.ts'
import { checkProperty } from '../property.ts'

const baseOffset = 5_000_000_000
const int32Max = 2 ** 31 - 1

/** Steps of at least one from entry to entry: up to some thousands, more than a page holds. */
const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
  maxLength: 3000,
  size: 'max',
})
/** What Kafka leaves behind the entries of an active segment when it dies. */
const padding = fc.integer({ min: 0, max: 9000 })

/** An index file in memory that counts what is asked of it. */
class CountedFile implements IndexFile {
  bytes: Buffer
  reads = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  indexBytes(): number {
    return this.bytes.length
  }

  readIndex(target: Buffer, position: number): number {
    this.reads++
    return this.bytes.copy(target, 0, position)
  }
}

function indexOf(entries: ReadonlyArray<readonly [number, number]>): OffsetIndex {
  const index = new OffsetIndex(baseOffset)
  let [offset, position] = [0, 0]
  for (const [by, bytes] of entries) {
    offset += by
    position += bytes
    index.append(baseOffset + offset, position)
  }
  return index
}

function manyEntries(count: number): OffsetIndex {
  return indexOf(Array.from({ length: count }, () => [10, 5000] as const))
}

function pagesOf(file: IndexFile, cacheBytes = 2 ** 20): IndexPages {
  return new IndexPages(new ReadCache(cacheBytes), file, baseOffset)
}

describe('looking up in an index on disk', () => {
  test('finds what the index in memory finds, padded or not, with room for pages or none', async () => {
    const input = fc.tuple(steps, padding, fc.constantFrom(0, 40_000, 2 ** 20))
    await checkProperty(input, 60, ([entries, padded, room]) => {
      const index = indexOf(entries)
      const bytes = Buffer.concat([index.bytes(), Buffer.alloc(padded)])
      const pages = pagesOf(new CountedFile(bytes), room)
      const end = index.lastEntry?.offset ?? baseOffset
      for (let target = -2; target <= end - baseOffset + 3; target += 1 + index.count / 20) {
        const offset = baseOffset + Math.floor(target)
        const expected = index.around(offset)
        const found = pages.around(offset, int32Max)
        const { endPosition } = expected
        expect(found).toEqual({
          ...expected,
          endPosition: endPosition < 0 ? int32Max : endPosition,
        })
      }
    })
  })

  test('agrees with itself: the entries around an offset are neighbours', () => {
    const index = manyEntries(1500)
    for (let entry = 1; entry < index.count - 2; entry++) {
      const found = pagesOf(new CountedFile(index.bytes())).around(
        index.entryAt(entry).offset + 1,
        int32Max,
      )
      expect(found.floorPosition).toBe(index.entryAt(entry).position)
      expect(found.ceilingPosition).toBe(index.entryAt(entry + 1).position)
      expect(found.endPosition).toBe(index.entryAt(entry + 2).position)
      if (entry > 20) entry += 97
    }
  })

  test('reads a page once, and nothing where it is in memory', () => {
    const file = new CountedFile(Buffer.from(manyEntries(5000).bytes()))
    const pages = pagesOf(file)
    for (let round = 0; round < 3; round++) {
      for (let offset = 0; offset < 50_000; offset += 50) pages.around(baseOffset + offset, 25e6)
    }
    expect(file.reads).toBe(10)
    pages.drop()
    pages.around(baseOffset, 25e6)
    expect(file.reads).toBeGreaterThan(10)
  })

  test('believes no entry that leads behind the segment, or behind the offset', () => {
    const index = manyEntries(10)
    const found = pagesOf(new CountedFile(index.bytes())).around(baseOffset + 75, 20_000)
    expect(found).toEqual({
      floorPosition: 0,
      floorOffset: -1,
      ceilingPosition: -1,
      ceilingOffset: -1,
      endPosition: 20_000,
    })
  })

  test('sees that the file has grown, while a segment is being sealed', () => {
    const whole = Buffer.from(manyEntries(1000).bytes())
    const file = new CountedFile(whole.subarray(0, 512 * 8))
    const pages = pagesOf(file)
    expect(pages.around(baseOffset + 9000, 5_100_000).floorPosition).toBe(512 * 5000)
    file.bytes = whole
    expect(pages.around(baseOffset + 9000, 5_100_000).floorPosition).toBe(900 * 5000)
  })

  test('of a file that is not there begins at the start', () => {
    const found = pagesOf(new CountedFile(Buffer.alloc(0))).around(baseOffset + 5, 1000)
    expect(found).toMatchObject({ floorPosition: 0, ceilingPosition: -1, endPosition: 1000 })
  })

  test('of any bytes at all ends, and gives nothing behind the offset', async () => {
    await checkProperty(fc.uint8Array({ maxLength: 9000, size: 'max' }), 60, (bytes) => {
      const pages = pagesOf(new CountedFile(Buffer.from(bytes)), 8192)
      for (const target of [0, baseOffset, baseOffset + 2 ** 20, Number.MAX_SAFE_INTEGER]) {
        const found = pages.around(target, int32Max)
        expect(found.floorOffset).toBeLessThanOrEqual(target)
        expect(found.floorPosition).toBeLessThan(int32Max)
        if (found.ceilingPosition >= 0) {
          expect(found.ceilingPosition).toBeGreaterThan(found.floorPosition)
        }
        expect(found.endPosition).toBeGreaterThan(found.floorPosition)
      }
    })
  })
})
