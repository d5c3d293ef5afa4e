import { AssertionError } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeTimeIndex, TimeIndex } from '../../src/format/time-index.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('time index')
const baseOffset = 45

interface Entry {
  readonly timestamp: number
  readonly offset: number
}

const entryLists = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 0, max: 5000 })), {
    maxLength: 100,
  })
  .map((steps) => {
    let timestamp = -1
    let offset = baseOffset
    return steps.map(([timestampStep, offsetStep]): Entry => {
      timestamp += timestampStep
      offset += offsetStep
      return { timestamp, offset }
    })
  })

function indexOf(entries: readonly Entry[]): TimeIndex {
  const index = new TimeIndex(baseOffset)
  for (const { timestamp, offset } of entries) index.maybeAppend(timestamp, offset)
  return index
}

function entriesOf(index: TimeIndex): Entry[] {
  return Array.from({ length: index.count }, (_, entry) => ({ ...index.entryAt(entry) }))
}

describe('looking up', () => {
  test('equals the floor of a sorted map', () => {
    fc.assert(
      fc.property(
        entryLists,
        fc.array(fc.integer({ min: -1, max: 2 ** 44 })),
        (entries, targets) => {
          const index = indexOf(entries)
          const around = entries.flatMap(({ timestamp }) => [
            timestamp - 1,
            timestamp,
            timestamp + 1,
          ])
          for (const target of [...targets, ...around]) {
            const floor = entries.findLast(({ timestamp }) => timestamp <= target)
            expect(index.lookup(target)).toEqual(floor ?? { timestamp: -1, offset: baseOffset })
          }
        },
      ),
      { seed },
    )
  })
})

describe('appending', () => {
  test('skips a timestamp that is not later than the last', () => {
    const index = new TimeIndex(baseOffset)
    expect(index.maybeAppend(-1, 46)).toBe(false)
    expect(index.maybeAppend(10, 46)).toBe(true)
    expect(index.maybeAppend(10, 47)).toBe(false)
    expect(index.maybeAppend(9, 48)).toBe(false)
    expect(index.maybeAppend(11, 46)).toBe(true)
    expect(entriesOf(index)).toEqual([
      { timestamp: 10, offset: 46 },
      { timestamp: 11, offset: 46 },
    ])
  })

  test('takes a record of the epoch itself', () => {
    const index = new TimeIndex(baseOffset)
    expect(index.maybeAppend(0, baseOffset)).toBe(true)
    expect(index.lookup(5)).toEqual({ timestamp: 0, offset: baseOffset })
  })

  test('refuses an offset that goes back or does not fit', () => {
    const index = indexOf([{ timestamp: 10, offset: 50 }])
    expect(() => index.maybeAppend(11, 49)).toThrow(AssertionError)
    expect(() => index.maybeAppend(11, baseOffset + 2 ** 31)).toThrow(AssertionError)
    expect(() => new TimeIndex(baseOffset).maybeAppend(1, baseOffset - 1)).toThrow(AssertionError)
  })

  test('is refused one entry before the end unless forced', () => {
    const index = new TimeIndex(baseOffset, { maxBytes: 3 * 12 + 5 })
    index.maybeAppend(1, 46)
    expect(index.isFull).toBe(false)
    index.maybeAppend(2, 47)
    expect(index.isFull).toBe(true)
    expect(() => index.maybeAppend(3, 48)).toThrow(AssertionError)
    expect(index.maybeAppend(3, 48, { force: true })).toBe(true)
    expect(() => index.maybeAppend(4, 49, { force: true })).toThrow(AssertionError)
    expect(index.count).toBe(3)
  })
})

describe('the file', () => {
  test('has twelve big-endian bytes an entry, as Kafka writes them', () => {
    const index = indexOf([{ timestamp: 1_700_000_000_007, offset: baseOffset + 7 }])
    expect(index.bytes().toString('hex')).toBe('0000018bcfe5680700000007')
  })

  test('decodes to the same entries and encodes to the same bytes', () => {
    fc.assert(
      fc.property(entryLists, (entries) => {
        const bytes = Buffer.from(indexOf(entries).bytes())
        const { index, problem } = decodeTimeIndex(bytes, baseOffset)
        expect(problem).toBeNull()
        expect(entriesOf(index)).toEqual(entries)
        expect(index.bytes()).toEqual(bytes)
      }),
      { seed },
    )
  })

  test('padded with zeros, as a killed broker leaves it, reads as its entries', () => {
    const entries = [{ timestamp: 60, offset: 50 }]
    const padded = Buffer.concat([indexOf(entries).bytes(), Buffer.alloc(12_000)])
    const { index, problem } = decodeTimeIndex(padded, baseOffset)
    expect(problem).toMatchObject({ kind: 'padding', entry: 1, position: 12 })
    expect(entriesOf(index)).toEqual(entries)
  })

  test.each([
    ['a negative timestamp', 'fffffffffffffffe00000001', 'range'],
    ['a timestamp beyond 2^53', '002000000000000000000001', 'range'],
    ['a negative offset', '000000000000000180000000', 'range'],
    ['a timestamp that stays', '000000000000000500000001000000000000000500000002', 'order'],
    ['an offset that goes back', '000000000000000500000003000000000000000600000002', 'order'],
    ['a half entry', '000000000000000500000003000001', 'length'],
    ['half an entry of zeros', '000000000000000500000003000000', 'padding'],
  ])('with %s is read up to there', (_, hex, kind) => {
    const { index, problem } = decodeTimeIndex(Buffer.from(hex, 'hex'), baseOffset)
    expect(problem?.kind).toBe(kind)
    expect(problem?.entry).toBe(index.count)
  })

  test('of any bytes at all reads as a valid prefix of them', () => {
    const mutated = fc.tuple(entryLists, fc.nat(), fc.nat(255)).map(([entries, at, value]) => {
      const bytes = Buffer.from(indexOf(entries).bytes())
      if (bytes.length > 0) bytes[at % bytes.length] = value
      return bytes
    })
    const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(random, mutated), (bytes) => {
        const { index, problem } = decodeTimeIndex(bytes, baseOffset)
        expect(bytes.subarray(0, index.sizeBytes).equals(index.bytes())).toBe(true)
        expect(problem === null).toBe(index.sizeBytes === bytes.length)
        expect(indexOf(entriesOf(index)).bytes()).toEqual(index.bytes())
        expect(TimeIndex.decode(bytes, baseOffset).count).toBe(index.count)
      }),
      { seed, numRuns: 500 },
    )
  })

  test('is saved in pieces and reopened with the same entries', () => {
    const fs = new SimulatedFileSystem()
    const file = fs.open('/0.timeindex', 'create')
    const index = new TimeIndex(baseOffset)
    index.maybeAppend(10, 50)
    index.save(file)
    index.maybeAppend(20, 60)
    expect(index.unsavedBytes).toBe(12)
    index.save(file)
    expect(index.isUnsaved).toBe(false)
    expect(fs.bytesOf('/0.timeindex')).toEqual(index.bytes())
    file.close()
  })
})
