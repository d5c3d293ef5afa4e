import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lastTimestamp, lookupTimestamp } from '../../src/format/index-lookup.ts'
import { TimeIndex } from '../../src/format/time-index.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import { checkProperty } from '../property.ts'

const baseOffset = 5_000_000_000

/** Steps of at least one from entry to entry: up to some thousands, more than a block holds. */
const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
  maxLength: 3000,
  size: 'max',
})

function fileWith(bytes: Uint8Array) {
  const fs = new SimulatedFileSystem()
  fs.writeBytes('/index', bytes)
  const file = fs.open('/index', 'read')
  return { file, size: file.sizeBytes() }
}

/** What Kafka leaves behind the entries of an active segment when it dies. */
const padding = fc.integer({ min: 0, max: 2000 })

describe('looking up on disk', () => {
  test('a timestamp finds what the index in memory finds, padded or not', async () => {
    await checkProperty(fc.tuple(steps, padding), 60, ([entries, padded]) => {
      const index = new TimeIndex(baseOffset)
      let [timestamp, offset] = [1_700_000_000_000, 0]
      for (const [by, more] of entries) {
        timestamp += by
        offset += more
        index.maybeAppend(timestamp, baseOffset + offset)
      }
      const { file, size } = fileWith(Buffer.concat([index.bytes(), Buffer.alloc(padded)]))
      for (
        let target = 1_699_999_999_999;
        target <= timestamp + 2;
        target += 1 + entries.length / 20
      ) {
        const expected = index.lookup(Math.floor(target))
        const found = lookupTimestamp(file, size, baseOffset, Math.floor(target))
        expect(found ?? { timestamp: -1, offset: baseOffset }).toEqual(expected)
      }
      if (padded === 0) {
        expect(lastTimestamp(file, size)).toBe(index.lastEntry?.timestamp ?? null)
      }
    })
  })

  test('of any bytes at all ends, and gives an entry of the file or none', async () => {
    await checkProperty(fc.uint8Array({ maxLength: 9000, size: 'max' }), 60, (bytes) => {
      const { file, size } = fileWith(bytes)
      for (const target of [0, baseOffset, Number.MAX_SAFE_INTEGER]) {
        const time = lookupTimestamp(file, size, 0, target)
        expect(time === null || time.timestamp <= target).toBe(true)
      }
    })
  })
})
