import { Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { OffsetMap } from '../../src/compaction/offset-map.ts'

const seed = new Uint8Array(16)

test('agrees with a plain map, whatever the keys, up to its limit', () => {
  const number = seedFromEnvironment('offset map')
  const random = new Random(number)
  for (let round = 0; round < 20; round++) {
    const memoryBytes = random.between(40, 4000)
    const firstOffset = random.int(2 ** 40)
    const map = new OffsetMap({ memoryBytes, firstOffset, seed: random.bytes(16) })
    const model = new Map<string, number>()
    for (let index = 0; index < 500; index++) {
      const key = random.bytes(random.int(random.pick([2, 20])))
      const name = key.toString('hex')
      const fits = map.put(key, firstOffset + index)
      expect(fits, `VARVE_SEED=${number}`).toBe(model.has(name) || model.size < map.capacity)
      if (fits) model.set(name, firstOffset + index)
      const asked = random.bool() ? key : random.bytes(2)
      expect(map.get(asked)).toBe(model.get(asked.toString('hex')) ?? -1)
    }
    expect(map.size).toBe(model.size)
    for (const [name, offset] of model) expect(map.get(Buffer.from(name, 'hex'))).toBe(offset)
  }
})

test('takes less than 24 bytes per key when it is full', () => {
  for (const memoryBytes of [2000, 1_000_000]) {
    const map = new OffsetMap({ memoryBytes, firstOffset: 0, seed })
    let keys = 0
    while (map.put(Buffer.from(`key-${keys}`), keys)) keys += 1
    expect(map.memoryBytes).toBeLessThanOrEqual(memoryBytes)
    expect(memoryBytes / keys).toBeLessThan(24)
  }
})

test('takes no more memory than the keys that can come need', () => {
  const map = new OffsetMap({ memoryBytes: 1 << 30, firstOffset: 0, keysMax: 100, seed })
  expect(map.memoryBytes).toBeLessThan(2500)
  for (let key = 0; key < 100; key++) expect(map.put(Buffer.from([key]), key)).toBe(true)
})

test('refuses an offset that is too far from the first', () => {
  const map = new OffsetMap({ memoryBytes: 1000, firstOffset: 5, seed })
  expect(map.put(Buffer.from('a'), 5 + 2 ** 32 - 2)).toBe(true)
  expect(map.put(Buffer.from('a'), 5 + 2 ** 32 - 1)).toBe(false)
  expect(map.get(Buffer.from('a'))).toBe(5 + 2 ** 32 - 2)
})

test('a key is the same wherever it lies', () => {
  const map = new OffsetMap({ memoryBytes: 100_000, firstOffset: 0, seed: new Uint8Array(16) })
  const keys = Array.from({ length: 40 }, (_, length) => Buffer.alloc(length, `key ${length}.`))
  keys.forEach((key, offset) => {
    map.put(
      Buffer.concat([Buffer.alloc(offset, 1), key, Buffer.alloc(3, 2)]),
      offset,
      offset,
      offset * 2,
    )
  })
  expect(map.size).toBe(keys.length)
  keys.forEach((key, offset) => {
    expect(map.get(key)).toBe(offset)
    expect(map.get(Buffer.concat([Buffer.alloc(7), key, Buffer.alloc(1)]), 7, 7 + key.length)).toBe(
      offset,
    )
  })
})
