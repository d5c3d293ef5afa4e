import { AssertionError } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptCheckpointError } from '../../src/format/checkpoint-text.ts'
import { type EpochEntry, LeaderEpochCache } from '../../src/format/leader-epoch-cache.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'

const seed = seedFromEnvironment('leader epoch cache')

function cacheOf(...pairs: readonly (readonly [number, number])[]): LeaderEpochCache {
  return new LeaderEpochCache(pairs.map(([epoch, startOffset]) => ({ epoch, startOffset })))
}

function pairsOf(cache: LeaderEpochCache): [number, number][] {
  return cache.entries().map(({ epoch, startOffset }) => [epoch, startOffset])
}

describe('assigning', () => {
  test('a new epoch adds it and says so', () => {
    const cache = new LeaderEpochCache()
    expect(cache.isEmpty).toBe(true)
    expect(cache.latestEpoch).toBeNull()
    expect(cache.assign(2, 6)).toBe(true)
    expect(cache.assign(5, 10)).toBe(true)
    expect(pairsOf(cache)).toEqual([
      [2, 6],
      [5, 10],
    ])
    expect(cache.latestEpoch).toBe(5)
  })

  test('the latest epoch again at a later offset changes nothing', () => {
    const cache = cacheOf([2, 6])
    expect(cache.assign(2, 6)).toBe(false)
    expect(cache.assign(2, 7)).toBe(false)
    expect(pairsOf(cache)).toEqual([[2, 6]])
  })

  test('the latest epoch at an earlier offset moves its start', () => {
    const cache = cacheOf([1, 2], [2, 6])
    expect(cache.assign(2, 4)).toBe(true)
    expect(pairsOf(cache)).toEqual([
      [1, 2],
      [2, 4],
    ])
  })

  test('an older epoch, or an earlier offset, makes entries that do not fit give way', () => {
    const cache = cacheOf([1, 5], [2, 6], [3, 7], [4, 8])
    expect(cache.assign(3, 9)).toBe(true)
    expect(pairsOf(cache)).toEqual([
      [1, 5],
      [2, 6],
      [3, 9],
    ])
    cache.assign(7, 6)
    expect(pairsOf(cache)).toEqual([
      [1, 5],
      [7, 6],
    ])
    cache.assign(0, 0)
    expect(pairsOf(cache)).toEqual([[0, 0]])
  })

  test('keeps both columns increasing, whatever is assigned', () => {
    const pair = fc.tuple(fc.nat(20), fc.nat(40))
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const cache = new LeaderEpochCache()
        for (const [epoch, startOffset] of pairs) {
          const before = pairsOf(cache)
          const hasChanged = cache.assign(epoch, startOffset)
          expect(JSON.stringify(pairsOf(cache)) !== JSON.stringify(before)).toBe(hasChanged)
          expect(cache.latestEpoch).toBe(epoch)
        }
        const entries = cache.entries()
        for (const [index, entry] of entries.entries()) {
          const next: EpochEntry | undefined = entries[index + 1]
          if (next === undefined) continue
          expect(next.epoch).toBeGreaterThan(entry.epoch)
          expect(next.startOffset).toBeGreaterThan(entry.startOffset)
        }
      }),
      { seed },
    )
  })

  test('what is no epoch or offset is our own mistake', () => {
    const cache = new LeaderEpochCache()
    expect(() => cache.assign(-1, 0)).toThrow(AssertionError)
    expect(() => cache.assign(0, -1)).toThrow(AssertionError)
  })
})

describe('truncating', () => {
  test('from the end drops the epochs that start there or later', () => {
    const cache = cacheOf([2, 6], [3, 8], [4, 11])
    expect(cache.truncateFromEnd(12)).toBe(false)
    expect(cache.truncateFromEnd(9)).toBe(true)
    expect(pairsOf(cache)).toEqual([
      [2, 6],
      [3, 8],
    ])
    expect(cache.truncateFromEnd(8)).toBe(true)
    expect(pairsOf(cache)).toEqual([[2, 6]])
    expect(cache.truncateFromEnd(0)).toBe(true)
    expect(cache.isEmpty).toBe(true)
  })

  test('from the start keeps the epoch in which the offset lies, starting there', () => {
    const pairs = [
      [2, 6],
      [3, 8],
      [4, 11],
    ] as const
    const after = (startOffset: number): unknown => {
      const cache = cacheOf(...pairs)
      return [cache.truncateFromStart(startOffset), pairsOf(cache)]
    }
    expect(after(5)).toEqual([false, pairs])
    expect(after(6)).toEqual([false, pairs])
    expect(after(7)).toEqual([true, [[2, 7], pairs[1], pairs[2]]])
    expect(after(8)).toEqual([true, [pairs[1], pairs[2]]])
    expect(after(9)).toEqual([true, [[3, 9], pairs[2]]])
    expect(after(100)).toEqual([true, [[4, 100]]])
  })
})

describe('asking', () => {
  const cache = cacheOf([2, 5], [3, 7], [6, 10])

  test('where an epoch ended', () => {
    expect(cache.endOffsetFor(2, 15)).toEqual({ epoch: 2, endOffset: 7 })
    expect(cache.endOffsetFor(3, 15)).toEqual({ epoch: 3, endOffset: 10 })
    expect(cache.endOffsetFor(6, 15)).toEqual({ epoch: 6, endOffset: 15 })
    expect(cache.endOffsetFor(4, 15)).toEqual({ epoch: 3, endOffset: 10 })
    expect(cache.endOffsetFor(1, 15)).toEqual({ epoch: 1, endOffset: 5 })
    expect(cache.endOffsetFor(7, 15)).toBeNull()
    expect(cache.endOffsetFor(-1, 15)).toBeNull()
    expect(new LeaderEpochCache().endOffsetFor(0, 15)).toBeNull()
  })

  test('where an epoch ended, in one that has no records yet', () => {
    const endUnder = (epoch: number) => cache.endOffsetUnder(8, epoch, 15)
    expect(endUnder(8)).toEqual({ epoch: 8, endOffset: 15 })
    expect(endUnder(7)).toEqual({ epoch: 6, endOffset: 15 })
    expect(endUnder(6)).toEqual({ epoch: 6, endOffset: 15 })
    expect(endUnder(3)).toEqual({ epoch: 3, endOffset: 10 })
    expect(endUnder(9)).toBeNull()
    expect(endUnder(-1)).toBeNull()
    expect(new LeaderEpochCache().endOffsetUnder(0, 0, 0)).toEqual({ epoch: 0, endOffset: 0 })
  })

  test('in which epoch an offset lies', () => {
    expect([4, 5, 6, 7, 9, 10, 99].map((offset) => cache.epochAt(offset))).toEqual([
      null,
      2,
      2,
      3,
      3,
      6,
      6,
    ])
  })
})

describe('the checkpoint file', () => {
  test('is the text that Kafka writes', () => {
    expect(cacheOf([0, 0], [2, 3]).encode().toString()).toBe('0\n2\n0 0\n2 3\n')
    expect(new LeaderEpochCache().encode().toString()).toBe('0\n0\n')
  })

  test('reads back as it was', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.nat(), fc.maxSafeNat()), { maxLength: 30 })
    fc.assert(
      fc.property(entries, (pairs) => {
        const cache = cacheOf(...pairs.sort(([a], [b]) => a - b))
        const read = LeaderEpochCache.decode(cache.encode(), 'x')
        expect(read.entries()).toEqual(cache.entries())
        expect(read.encode()).toEqual(cache.encode())
      }),
      { seed },
    )
  })

  test.each([
    ['epochs out of order', '0\n2\n3 5\n2 8\n', 4],
    ['starts out of order', '0\n2\n3 5\n4 5\n', 4],
    ['an epoch beyond int32', '0\n1\n2147483648 5\n', 3],
    ['a negative epoch', '0\n1\n-1 5\n', 3],
    ['a third column', '0\n1\n1 5 6\n', 3],
  ])('with %s is refused', (_, text, line) => {
    const refusal = expect.objectContaining({
      path: '/d/x',
      line,
      code: 'VARVE_CORRUPT_CHECKPOINT',
    })
    expect(() => LeaderEpochCache.decode(Buffer.from(text), '/d/x')).toThrow(refusal)
  })

  test('of any bytes at all reads or is refused', () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.array(fc.tuple(fc.nat(5), fc.nat(9))), fc.nat(), fc.nat(255))
        .map(([pairs, at, value]) => {
          const bytes = cacheOf(...pairs).encode()
          bytes[at % bytes.length] = value
          return bytes
        }),
    )
    fc.assert(
      fc.property(text, (bytes) => {
        try {
          const cache = LeaderEpochCache.decode(bytes, 'x')
          expect(LeaderEpochCache.decode(cache.encode(), 'x').entries()).toEqual(cache.entries())
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptCheckpointError)
        }
      }),
      { seed, numRuns: 500 },
    )
  })
})
