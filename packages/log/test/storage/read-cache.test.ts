import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import {
  type CachedItem,
  checkReadCacheBytes,
  defaultReadCacheBytes,
  ReadCache,
} from '../../src/storage/read-cache.ts'

/** Names what was dropped, in order. */
class Shelf {
  readonly cache: ReadCache
  readonly dropped: string[] = []

  constructor(bytesMax: number) {
    this.cache = new ReadCache(bytesMax)
  }

  put(name: string, sizeBytes: number): CachedItem {
    const item = { sizeBytes, isUsed: false, drop: () => void this.dropped.push(name) }
    expect(this.cache.add(item)).toBe(true)
    return item
  }
}

describe('what is kept in memory', () => {
  test('never takes more than its room', () => {
    const shelf = new Shelf(100)
    for (let index = 0; index < 50; index++) {
      shelf.put(`${index}`, 7)
      expect(shelf.cache.sizeBytes).toBeLessThanOrEqual(100)
    }
    expect(shelf.dropped).toEqual(Array.from({ length: 36 }, (_, index) => `${index}`))
  })

  test('stays longer when it was used', () => {
    const shelf = new Shelf(100)
    const first = shelf.put('first', 10)
    for (let index = 0; index < 30; index++) {
      first.isUsed = true
      shelf.put(`${index}`, 10)
    }
    expect(shelf.dropped).not.toContain('first')
    expect(shelf.dropped).toHaveLength(21)
  })

  test('is not everything that fits: one thing alone gets an eighth', () => {
    const shelf = new Shelf(80)
    expect(shelf.cache.add({ sizeBytes: 11, isUsed: false, drop: () => undefined })).toBe(false)
    shelf.put('small', 10)
    expect(shelf.cache.sizeBytes).toBe(10)
  })

  test('gives its room back when its owner lets go of it, once', () => {
    const shelf = new Shelf(100)
    const [one, two] = [shelf.put('one', 10), shelf.put('two', 12)]
    shelf.put('three', 12)
    shelf.cache.remove(one)
    shelf.cache.remove(one)
    expect(shelf.cache.sizeBytes).toBe(24)
    shelf.cache.remove(two)
    shelf.cache.clear()
    expect(shelf.cache.sizeBytes).toBe(0)
    expect(shelf.dropped).toEqual(['three'])
  })

  test('is what was asked for again, not what was read once', () => {
    const { cache } = new Shelf(100)
    const isAgain = Array.from({ length: 1000 }, (_, place) => cache.isAskedAgain(7, place * 4096))
    expect(isAgain.filter(Boolean).length).toBeLessThan(10)
    const isThen = Array.from({ length: 1000 }, (_, place) => cache.isAskedAgain(7, place * 4096))
    expect(isThen.filter(Boolean).length).toBeGreaterThan(700)
  })

  test('has a limit that is a number of bytes', () => {
    checkReadCacheBytes()
    checkReadCacheBytes(0)
    expect(defaultReadCacheBytes).toBe(16 * 2 ** 20)
    for (const bytes of [-1, 0.5, Number.NaN, '1' as never]) {
      expect(() => checkReadCacheBytes(bytes)).toThrow(InvalidArgumentError)
    }
  })
})
