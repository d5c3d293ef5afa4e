import { describe, expect, test } from 'vitest'
import { TailCache } from '../../src/segments/tail-cache.ts'
import { TailMemory } from '../../src/storage/tail-memory.ts'

const mebibyte = 2 ** 20

describe('the tail cache', () => {
  test('keeps nothing while nobody follows', () => {
    const cache = new TailCache(new TailMemory())
    cache.add(0, 0, Buffer.from('abc'))
    expect(cache.read(0, 0, 3)).toBeNull()
    cache.follow()
    cache.add(0, 3, Buffer.from('def'))
    expect(cache.read(0, 3, 6)?.toString()).toBe('def')
    cache.unfollow()
    expect(cache.read(0, 3, 6)).toBeNull()
  })

  test('gives what it holds from a position on, up to the limit, and never more', () => {
    const cache = new TailCache(new TailMemory())
    cache.follow()
    cache.add(0, 0, Buffer.from('abc'))
    cache.add(0, 3, Buffer.from('defgh'))
    cache.add(8, 0, Buffer.from('ijk'))
    expect(cache.read(0, 0, 8)?.toString()).toBe('abc')
    expect(cache.read(0, 4, 8)?.toString()).toBe('efgh')
    expect(cache.read(0, 4, 6)?.toString()).toBe('ef')
    expect(cache.read(8, 0, 2)?.toString()).toBe('ij')
    expect(cache.read(0, 8, 9)).toBeNull()
    expect(cache.read(4, 0, 3)).toBeNull()
    expect(cache.read(8, 3, 9)).toBeNull()
  })

  test('gives chunks that follow each other, until there is enough', () => {
    const cache = new TailCache(new TailMemory())
    cache.follow()
    const text = (pieces: readonly Buffer[] | null) => pieces?.map(String).join('|') ?? null
    cache.add(0, 0, Buffer.from('abc'))
    cache.add(0, 3, Buffer.from('def'))
    cache.add(0, 8, Buffer.from('ghi'))
    cache.add(9, 0, Buffer.from('jkl'))
    expect(text(cache.readOn(0, 1, 99, 99))).toBe('bc|def')
    expect(text(cache.readOn(0, 0, 99, 3))).toBe('abc')
    expect(text(cache.readOn(0, 0, 5, 99))).toBe('abc|de')
    expect(text(cache.readOn(9, 0, 3, 99))).toBe('jkl')
    expect(cache.readOn(0, 6, 99, 99)).toBeNull()
  })

  test('copies: what was added may be changed', () => {
    const cache = new TailCache(new TailMemory())
    cache.follow()
    const bytes = Buffer.from('abc')
    cache.add(0, 0, bytes)
    bytes.fill(0)
    expect(cache.read(0, 0, 3)?.toString()).toBe('abc')
  })

  test('drops the oldest beyond four mebibytes, and takes nothing larger', () => {
    const cache = new TailCache(new TailMemory())
    cache.follow()
    for (let index = 0; index < 6; index++) {
      cache.add(0, index * mebibyte, Buffer.alloc(mebibyte, index))
    }
    expect(cache.read(0, mebibyte, 6 * mebibyte)).toBeNull()
    expect(cache.read(0, 2 * mebibyte, 6 * mebibyte)?.[0]).toBe(2)
    cache.add(0, 6 * mebibyte, Buffer.alloc(4 * mebibyte + 1))
    expect(cache.read(0, 6 * mebibyte, 11 * mebibyte)).toBeNull()
    expect(cache.read(0, 5 * mebibyte, 6 * mebibyte)?.[0]).toBe(5)
  })

  test('drops the oldest beyond 4,096 groups, however small', () => {
    const cache = new TailCache(new TailMemory())
    cache.follow()
    for (let position = 0; position < 4097; position++) cache.add(0, position, Buffer.from('a'))
    expect(cache.read(0, 0, 4097)).toBeNull()
    expect(cache.read(0, 1, 4097)?.toString()).toBe('a')
  })

  test('stays while one of several follows', () => {
    const cache = new TailCache(new TailMemory())
    cache.follow()
    cache.follow()
    cache.add(0, 0, Buffer.from('abc'))
    cache.unfollow()
    expect(cache.read(0, 0, 3)?.toString()).toBe('abc')
  })
})
