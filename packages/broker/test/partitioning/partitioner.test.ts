import { Random } from '@varve/log/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur2 } from '../../src/partitioning/murmur2.ts'
import { defaultPartitioner, partitionForKey } from '../../src/partitioning/partitioner.ts'
import { StickyChoice } from '../../src/partitioning/sticky-choice.ts'
import { checkProperty } from '../property.ts'

// Printed by a program that called Utils.murmur2 and Utils.toPositive of kafka-clients 4.3.1: the
// hash of the key's UTF-8, and its partition of 3 and of 12.
const vectors: ReadonlyArray<readonly [string, number, number, number]> = [
  ['', 275646681, 0, 9],
  ['a', -1563381124, 1, 4],
  ['ab', 316155434, 2, 2],
  ['abc', 479470107, 0, 3],
  ['abcd', -1323649548, 2, 8],
  ['21', -973932308, 0, 0],
  ['foobar', -790332482, 0, 6],
  ['a-little-bit-long-string', -985981536, 2, 8],
  ['a-little-bit-longer-string', -1486304829, 2, 11],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971, 2, 5],
  ['grün', 350648321, 2, 5],
  ['🪨', 582384128, 2, 8],
  ['o-17', 783299987, 2, 11],
  ['key-with-0123456789', 1998672783, 0, 3],
]

describe('the partition of a key', () => {
  test.each(vectors)('is that of the Java client: %s', (key, hash, of3, of12) => {
    const bytes = Buffer.from(key)
    expect(murmur2(bytes)).toBe(hash)
    for (const form of [key, bytes, new Uint8Array(bytes)]) {
      expect(partitionForKey(form, 3)).toBe(of3)
      expect(partitionForKey(form, 12)).toBe(of12)
    }
  })

  test('depends on every byte, with and without a sign', () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index)
    expect(murmur2(all)).toBe(-1948347274)
    expect(murmur2(all.subarray(1))).toBe(-40751598)
  })

  test('is the same for a string of any length and for its UTF-8', async () => {
    const texts = fc.string({ unit: 'binary', maxLength: 500 })
    await checkProperty(texts, 100, (text) => {
      expect(partitionForKey(text, 1000)).toBe(partitionForKey(Buffer.from(text), 1000))
    })
  })

  test('is left to the producer where there is no key', () => {
    expect(defaultPartitioner('t', null, 3)).toBeNull()
    expect(defaultPartitioner('t', '', 3)).toBe(0)
  })
})

describe('records without a key', () => {
  const always = (): boolean => true

  test('stay with a partition until its batch is sent, and come to all of them', () => {
    const random = new Random(7)
    const choice = new StickyChoice(() => random.fraction())
    const counts = [0, 0, 0, 0]
    let last = -1
    for (let batch = 0; batch < 400; batch++) {
      const partition = choice.choose(4, always)
      expect(choice.choose(4, always)).toBe(partition)
      expect(partition).not.toBe(last)
      choice.sent((partition + 1) % 4, 4, always)
      expect(choice.choose(4, always)).toBe(partition)
      choice.sent(partition, 4, always)
      counts[partition] = (counts[partition] ?? 0) + 1
      last = partition
    }
    for (const count of counts) expect(count).toBeGreaterThan(60)
  })

  test('pass over partitions that cannot be used, while there are others', () => {
    const choice = new StickyChoice(() => 0.99)
    expect(choice.choose(3, (partition) => partition === 1)).toBe(1)
    choice.sent(1, 3, (partition) => partition === 1)
    expect(choice.choose(3, always)).toBe(1)
    choice.sent(1, 3, () => false)
    expect(choice.choose(3, always)).toBe(2)
    expect(new StickyChoice(() => 0.5).choose(1, () => false)).toBe(0)
  })
})
