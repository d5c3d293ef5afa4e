import { AssertionError } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EntryBuffer, type EntryCheck } from '../../src/format/entry-buffer.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('entry buffer')
const options = { entryBytes: 4, maxBytes: 4096 }

/** Entries are int32 that increase strictly. */
const increasing: EntryCheck = (entries, entry) =>
  entry > 0 && entries.int32At(entry, 0) <= entries.int32At(entry - 1, 0)
    ? { kind: 'order', reason: 'not increasing' }
    : null

function add(entries: EntryBuffer, value: number): void {
  const { bytes, position } = entries.add()
  bytes.writeInt32BE(value, position)
}

function int32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, index * 4)
  return bytes
}

describe('decoding', () => {
  test('takes everything when nothing is wrong', () => {
    const { entries, problem } = EntryBuffer.decode(int32s(1, 2, 7), options, increasing)
    expect(problem).toBeNull()
    expect(entries.count).toBe(3)
    expect(entries.bytes()).toEqual(int32s(1, 2, 7))
    expect(entries.isUnsaved).toBe(false)
  })

  test('stops before the first wrong entry and says where', () => {
    const { entries, problem } = EntryBuffer.decode(int32s(1, 5, 5, 9), options, increasing)
    expect(problem).toEqual({ kind: 'order', reason: 'not increasing', entry: 2, position: 8 })
    expect(entries.bytes()).toEqual(int32s(1, 5))
  })

  test('stops before an incomplete last entry', () => {
    const bytes = Buffer.concat([int32s(1, 5), Buffer.from([1, 2, 3])])
    const { entries, problem } = EntryBuffer.decode(bytes, options, increasing)
    expect(problem).toMatchObject({ kind: 'length', entry: 2, position: 8 })
    expect(entries.count).toBe(2)
  })

  test('tells padding with zeros from damage', () => {
    const padded = EntryBuffer.decode(int32s(3, 5, 0, 0, 0), options, increasing)
    expect(padded.problem).toMatchObject({ kind: 'padding', entry: 2, position: 8 })
    const damaged = EntryBuffer.decode(int32s(3, 5, 0, 0, 6), options, increasing)
    expect(damaged.problem).toMatchObject({ kind: 'order', entry: 2, position: 8 })
  })

  test('takes a file of nothing but zeros for padding, but a single zero entry for an entry', () => {
    const padded = EntryBuffer.decode(int32s(0, 0, 0), options, increasing)
    expect(padded.problem).toMatchObject({ kind: 'padding', entry: 0, position: 0 })
    expect(padded.entries.count).toBe(0)
    const single = EntryBuffer.decode(int32s(0), options, increasing)
    expect(single.problem).toBeNull()
    expect(single.entries.count).toBe(1)
    const first = EntryBuffer.decode(int32s(0, 4), options, increasing)
    expect(first.entries.count).toBe(2)
  })

  test('reads a file that is larger than the limit, which then counts as full', () => {
    const { entries } = EntryBuffer.decode(
      int32s(1, 2, 3),
      { entryBytes: 4, maxBytes: 8 },
      increasing,
    )
    expect(entries.count).toBe(3)
    expect(() => entries.add()).toThrow(AssertionError)
  })
})

describe('growing', () => {
  test('stops at the largest whole number of entries', () => {
    const entries = new EntryBuffer({ entryBytes: 4, maxBytes: 403 })
    for (let value = 0; value < 100; value += 1) add(entries, value)
    expect(entries.maxCount).toBe(100)
    expect(() => entries.add()).toThrow(AssertionError)
    expect(entries.sizeBytes).toBe(400)
  })

  test('keeps the entries that were decoded and leaves the decoded bytes alone', () => {
    const bytes = int32s(1, 2)
    const { entries } = EntryBuffer.decode(bytes, options, increasing)
    add(entries, 3)
    expect(entries.bytes()).toEqual(int32s(1, 2, 3))
    expect(bytes).toEqual(int32s(1, 2))
  })
})

describe('saving', () => {
  test('writes only what the file lacks', () => {
    const fs = new SimulatedFileSystem()
    const file = fs.open('/index', 'create')
    const entries = new EntryBuffer(options)
    add(entries, 1)
    add(entries, 2)
    expect(entries.unsavedBytes).toBe(8)
    entries.save(file)
    expect(entries.isUnsaved).toBe(false)
    const operations = fs.operations
    entries.save(file)
    expect(fs.operations).toBe(operations)
    add(entries, 3)
    expect(entries.unsavedBytes).toBe(4)
    entries.save(file)
    expect(fs.operations).toBe(operations + 1)
    expect(fs.bytesOf('/index')).toEqual(int32s(1, 2, 3))
    file.close()
  })

  test('cuts the padding off a decoded file', () => {
    const fs = new SimulatedFileSystem()
    fs.writeBytes('/index', int32s(4, 6, 0, 0))
    const file = fs.open('/index', 'write')
    const { entries } = EntryBuffer.decode(int32s(4, 6, 0, 0), options, increasing)
    expect(entries.isUnsaved).toBe(true)
    entries.save(file)
    expect(fs.bytesOf('/index')).toEqual(int32s(4, 6))
    file.close()
  })

  test('goes on after a short write, and can be repeated after an error', () => {
    const fs = new SimulatedFileSystem()
    fs.writeBytes('/index', int32s(4, 6, 0, 0))
    const file = fs.open('/index', 'write')
    const { entries } = EntryBuffer.decode(int32s(4, 6, 0, 0), options, increasing)
    add(entries, 8)
    fs.injectFault({ kind: 'EIO' })
    expect(() => entries.save(file)).toThrow(/EIO/)
    fs.injectFault({ kind: 'ENOSPC', after: 1 })
    expect(() => entries.save(file)).toThrow(/ENOSPC/)
    fs.injectFault({ kind: 'short' })
    entries.save(file)
    expect(fs.bytesOf('/index')).toEqual(int32s(4, 6, 8))
    expect(entries.isUnsaved).toBe(false)
    file.close()
  })

  test('leaves the file with exactly the entries after any mixture of changes', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ kind: fc.constant('save' as const), count: fc.constant(0) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const fs = new SimulatedFileSystem()
        const file = fs.open('/index', 'create')
        const entries = new EntryBuffer(options)
        const model: number[] = []
        let value = 0
        for (const { kind, count } of steps) {
          for (let added = 0; kind === 'add' && added < count; added += 1) {
            if (entries.count === entries.maxCount) break
            add(entries, value)
            model.push(value)
            value += 1
          }
          if (kind === 'save') {
            entries.save(file)
            expect(fs.bytesOf('/index')).toEqual(int32s(...model))
          }
        }
        expect(entries.bytes()).toEqual(int32s(...model))
        entries.save(file)
        expect(fs.bytesOf('/index')).toEqual(int32s(...model))
        file.close()
      }),
      { seed, numRuns: 200 },
    )
  })
})

test('floors equal those of a sorted list, for both widths', () => {
  const values = fc.uniqueArray(fc.maxSafeInteger(), { maxLength: 50 })
  fc.assert(
    fc.property(values, fc.array(fc.maxSafeInteger()), (list, targets) => {
      const sorted = [...list].sort((a, b) => a - b)
      const wide = new EntryBuffer({ entryBytes: 10, maxBytes: 1000 })
      for (const value of sorted) {
        const { bytes, position } = wide.add()
        bytes.writeBigInt64BE(BigInt(value), position + 2)
      }
      for (const target of [...targets, ...sorted]) {
        const floor = sorted.findLastIndex((value) => value <= target)
        expect(wide.floorInt64(2, target)).toBe(floor)
      }
      const narrow = new EntryBuffer(options)
      const small = [...new Set(sorted.map((value) => Math.abs(value) % 1000))].sort(
        (a, b) => a - b,
      )
      for (const value of small) add(narrow, value)
      for (let target = -1; target < 1001; target += 37) {
        const floor = small.findLastIndex((value) => value <= target)
        expect(narrow.floorInt32(0, target)).toBe(floor)
      }
    }),
    { seed },
  )
})
