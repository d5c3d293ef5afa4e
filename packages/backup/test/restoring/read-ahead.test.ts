import { Random, seedFromEnvironment } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { ReadAhead, ReadSlots } from '../../src/restoring/read-ahead.ts'

interface Piece {
  readonly item: number
  release(): void
}

/** A store that remembers how much of it is lent. */
class Store {
  lent = 0
  most = 0
  readonly failing = new Set<number>()

  readonly read = async (item: number): Promise<Piece> => {
    this.lent++
    this.most = Math.max(this.most, this.lent)
    await new Promise((resolve) => setImmediate(resolve))
    if (this.failing.has(item)) {
      this.lent--
      throw new Error(`no ${item}`)
    }
    return { item, release: () => void this.lent-- }
  }
}

const items = Array.from({ length: 40 }, (_, index) => index)

describe('reading ahead', () => {
  test('gives what is asked for in order, and never takes more than there are slots', async () => {
    const store = new Store()
    const ahead = new ReadAhead(new ReadSlots(4), items, store.read)
    for (const item of items) {
      const piece = await ahead.take(item)
      expect(piece.item).toBe(item)
      piece.release()
    }
    expect([store.lent, store.most]).toEqual([0, 4])
  })

  test('leaves out what is not asked for, whatever became of it', async () => {
    const store = new Store()
    for (const item of [1, 2, 30]) store.failing.add(item)
    const ahead = new ReadAhead(new ReadSlots(3), items, store.read)
    for (const item of [0, 3, 4, 20, 39]) {
      const piece = await ahead.take(item)
      expect(piece.item).toBe(item)
      piece.release()
    }
    expect(ahead.has(39)).toBe(false)
    await ahead.close()
    expect(store.lent).toBe(0)
  })

  test('gives the last one, though what was left out before it comes at one moment', async () => {
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const read = async (item: number): Promise<Piece> => {
      if (item === 1 || item === 2) await gate
      return { item, release: () => undefined }
    }
    const ahead = new ReadAhead(new ReadSlots(2), [0, 1, 2, 3], read)
    ;(await ahead.take(0)).release()
    const last = ahead.take(3)
    open()
    expect((await last).item).toBe(3)
    await ahead.close()
  })

  test('tells whoever asks for what cannot be read, and goes on', async () => {
    const store = new Store()
    store.failing.add(1)
    const ahead = new ReadAhead(new ReadSlots(1), items, store.read)
    ;(await ahead.take(0)).release()
    await expect(ahead.take(1)).rejects.toThrow('no 1')
    ;(await ahead.take(2)).release()
    await ahead.close()
    expect([store.lent, store.most]).toEqual([0, 1])
  })

  test('shared by many, who stop anywhere, never waits for ever', async () => {
    const random = new Random(seedFromEnvironment('reading ahead'))
    const store = new Store()
    const slots = new ReadSlots(1 + random.int(4))
    const reader = async (): Promise<void> => {
      const ahead = new ReadAhead(slots, items, store.read)
      const end = random.int(items.length)
      for (const item of items.slice(0, end)) {
        if (random.bool(0.2)) continue
        const piece = await ahead.take(item)
        for (let turns = random.int(3); turns > 0; turns--) await null
        piece.release()
      }
      await ahead.close()
    }
    await Promise.all(Array.from({ length: 20 }, reader))
    expect(store.lent).toBe(0)
    // All slots are free again.
    let free = 0
    while (slots.tryTake()) free++
    expect(free).toBe(store.most)
  })
})
