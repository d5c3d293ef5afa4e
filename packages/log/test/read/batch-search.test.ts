import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BatchStretch, findBatch, nextBatch } from '../../src/read/batch-search.ts'
import { openBatch } from '../../src/read/opened-batch.ts'
import { batchOf, range } from '../log-fixture.ts'
import { checkProperty } from '../property.ts'

/** Batches of so many records each, one behind the other from offset 100 on. */
function stretchOf(counts: readonly number[], change: Partial<BatchStretch> = {}): BatchStretch {
  let baseOffset = 100
  const batches = counts.map((count) => {
    const batch = batchOf(
      range(0, count).map((index) => ({ value: `${baseOffset + index}` })),
      { baseOffset },
    )
    baseOffset += count
    return batch.bytes
  })
  const bytes = Buffer.concat(batches)
  const nowhere = { position: 4000, firstLastOffset: -1, previousOffset: 99 }
  return { bytes, ...nowhere, nextOffset: baseOffset, limit: 4000 + bytes.length, ...change }
}

const some = stretchOf([3, 1, 2])

describe('the batch that holds an offset', () => {
  test('is found among others, and so is the one behind it', () => {
    const found = range(100, 106).map((offset) => findBatch(some, offset))
    expect(found.map((batch) => batch?.lastOffset)).toEqual([102, 102, 102, 103, 105, 105])
    for (const [index, batch] of found.entries()) {
      if (batch === null) continue
      const opened = openBatch(some, batch, { verifyChecksums: true })
      expect(opened.records.find(100 + index)?.value?.toString()).toBe(`${100 + index}`)
    }
    const [first] = found
    const second = first === undefined || first === null ? null : nextBatch(some, first)
    expect(second?.lastOffset).toBe(103)
    const third = second === null ? null : nextBatch(some, second)
    expect(third?.lastOffset).toBe(105)
    expect(third === null ? null : nextBatch(some, third)).toBeNull()
  })

  test('is not looked for where another batch stands than the one that was meant', () => {
    expect(findBatch(stretchOf([3, 1], { firstLastOffset: 102 }), 103)).not.toBeNull()
    expect(findBatch(stretchOf([3, 1], { firstLastOffset: 101 }), 103)).toBeNull()
    expect(findBatch(stretchOf([3, 1], { previousOffset: 100 }), 103)).toBeNull()
    expect(findBatch(stretchOf([3, 1], { nextOffset: 103 }), 103)).toBeNull()
  })

  test('is none that is cut off, or of which the end is not seen', () => {
    const { bytes } = some
    const { length } = bytes
    const cut = { bytes: bytes.subarray(0, length - 1) }
    expect(findBatch(stretchOf([3, 1, 2], cut), 105)).toBeNull()
    const unseen = { limit: 4000 + length + 100 }
    expect(findBatch(stretchOf([3, 1, 2], unseen), 105)).toBeNull()
    expect(findBatch(stretchOf([3, 1, 2], unseen), 103)).not.toBeNull()
  })

  test('is no other one, whatever byte is changed: its checksum or its neighbours tell', async () => {
    const { bytes } = some
    const change = fc.tuple(
      fc.integer({ min: 0, max: bytes.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      fc.integer({ min: 100, max: 105 }),
    )
    await checkProperty(change, 2000, ([at, bits, offset]) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ bits
      const stretch = { ...some, bytes: changed }
      const found = findBatch(stretch, offset)
      if (found === null) return
      let value: string | undefined
      try {
        const { records } = openBatch(stretch, found, { verifyChecksums: true })
        value = records.find(offset)?.value?.toString()
      } catch {
        return
      }
      expect(value).toBe(`${offset}`)
    })
  })
})
