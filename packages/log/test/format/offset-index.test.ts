import { AssertionError } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOffsetIndex, OffsetIndex } from '../../src/format/offset-index.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('offset index')
const baseOffset = 45

/** Strictly increasing pairs, with the offset relative to the base. */
const entryLists = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 })), {
    maxLength: 100,
  })
  .map((steps) => {
    let offset = baseOffset - 1
    let position = 0
    return steps.map(([offsetStep, positionStep]) => {
      offset += offsetStep
      position += positionStep
      return { offset, position }
    })
  })

function indexOf(entries: readonly { offset: number; position: number }[]): OffsetIndex {
  const index = new OffsetIndex(baseOffset)
  for (const { offset, position } of entries) index.append(offset, position)
  return index
}

function entriesOf(index: OffsetIndex): { offset: number; position: number }[] {
  return Array.from({ length: index.count }, (_, entry) => ({ ...index.entryAt(entry) }))
}

describe('looking up', () => {
  test('equals the floor of a sorted map', () => {
    fc.assert(
      fc.property(entryLists, fc.array(fc.nat(600_000)), (entries, targets) => {
        const index = indexOf(entries)
        const around = entries.flatMap(({ offset }) => [offset - 1, offset, offset + 1])
        for (const target of [...targets, ...around, 0, baseOffset, Number.MAX_SAFE_INTEGER]) {
          const floor = entries.findLast(({ offset }) => offset <= target)
          const expected = floor ?? { offset: baseOffset, position: 0 }
          expect(index.lookup(target)).toEqual(expected)
        }
      }),
      { seed },
    )
  })

  test('in an empty index, or before its first entry, gives the start of the segment', () => {
    const index = new OffsetIndex(baseOffset)
    expect(index.lookup(100)).toEqual({ offset: baseOffset, position: 0 })
    index.append(50, 1000)
    expect(index.lookup(49)).toEqual({ offset: baseOffset, position: 0 })
    expect(index.lookup(50)).toEqual({ offset: 50, position: 1000 })
  })
})

describe('appending', () => {
  test('refuses offsets and positions that do not increase', () => {
    const index = indexOf([{ offset: 51, position: 10 }])
    expect(() => index.append(51, 20)).toThrow(AssertionError)
    expect(() => index.append(50, 20)).toThrow(AssertionError)
    expect(() => index.append(52, 10)).toThrow(AssertionError)
    expect(entriesOf(index)).toEqual([{ offset: 51, position: 10 }])
  })

  test('refuses what does not fit 31 bits', () => {
    const index = new OffsetIndex(baseOffset)
    expect(() => index.append(baseOffset - 1, 0)).toThrow(AssertionError)
    expect(() => index.append(baseOffset + 2 ** 31, 0)).toThrow(AssertionError)
    expect(() => index.append(baseOffset, 2 ** 31)).toThrow(AssertionError)
    expect(() => index.append(baseOffset, -1)).toThrow(AssertionError)
    index.append(baseOffset + 2 ** 31 - 1, 2 ** 31 - 1)
    expect(index.lastEntry).toEqual({ offset: baseOffset + 2 ** 31 - 1, position: 2 ** 31 - 1 })
  })

  test('takes the base offset itself as a first entry', () => {
    const index = indexOf([{ offset: baseOffset, position: 0 }])
    expect(index.lastEntry).toEqual({ offset: baseOffset, position: 0 })
    expect(decodeOffsetIndex(index.bytes(), baseOffset).problem).toBeNull()
  })

  test('refuses when full, which is said before', () => {
    const index = new OffsetIndex(0, { maxBytes: 23 })
    expect(index.isFull).toBe(false)
    index.append(1, 1)
    index.append(2, 2)
    expect(index.isFull).toBe(true)
    expect(() => index.append(3, 3)).toThrow(AssertionError)
  })
})

describe('the file', () => {
  test('has eight big-endian bytes an entry, as Kafka writes them', () => {
    const index = indexOf([{ offset: 46, position: 0x01020304 }])
    expect(index.bytes().toString('hex')).toBe('0000000101020304')
  })

  test('decodes to the same entries and encodes to the same bytes', () => {
    fc.assert(
      fc.property(entryLists, (entries) => {
        const bytes = Buffer.from(indexOf(entries).bytes())
        const { index, problem } = decodeOffsetIndex(bytes, baseOffset)
        expect(problem).toBeNull()
        expect(entriesOf(index)).toEqual(entries)
        expect(index.bytes()).toEqual(bytes)
      }),
      { seed },
    )
  })

  test('padded with zeros, as a killed broker leaves it, reads as its entries', () => {
    const entries = [
      { offset: 60, position: 5000 },
      { offset: 70, position: 10_000 },
    ]
    const padded = Buffer.concat([indexOf(entries).bytes(), Buffer.alloc(10_485_744)])
    const { index, problem } = decodeOffsetIndex(padded, baseOffset)
    expect(problem).toMatchObject({ kind: 'padding', entry: 2, position: 16 })
    expect(entriesOf(index)).toEqual(entries)
    index.append(80, 15_000)
    expect(index.count).toBe(3)
  })

  test.each([
    ['a negative offset', 'ffffffff00000001', 'range'],
    ['a negative position', '0000000180000000', 'range'],
    ['an offset that goes back', '00000004000000400000000300000080', 'order'],
    ['a position that stays', '00000004000000400000000500000040', 'order'],
    ['a half entry', '00000004000000400000000a', 'length'],
  ])('with %s is read up to there', (_, hex, kind) => {
    const { index, problem } = decodeOffsetIndex(Buffer.from(hex, 'hex'), baseOffset)
    expect(problem?.kind).toBe(kind)
    expect(problem?.entry).toBe(index.count)
    expect(problem?.position).toBe(index.count * 8)
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
        const { index, problem } = decodeOffsetIndex(bytes, baseOffset)
        expect(bytes.subarray(0, index.sizeBytes).equals(index.bytes())).toBe(true)
        expect(problem === null).toBe(index.sizeBytes === bytes.length)
        expect(indexOf(entriesOf(index)).bytes()).toEqual(index.bytes())
        expect(OffsetIndex.decode(bytes, baseOffset).count).toBe(index.count)
      }),
      { seed, numRuns: 500 },
    )
  })

  test('is saved in pieces and reopened with the same entries', () => {
    const fs = new SimulatedFileSystem()
    const file = fs.open('/0.index', 'create')
    const index = new OffsetIndex(baseOffset)
    index.append(50, 100)
    index.save(file)
    index.append(60, 200)
    expect(index.unsavedBytes).toBe(8)
    index.save(file)
    expect(index.isUnsaved).toBe(false)
    const reopened = OffsetIndex.decode(fs.bytesOf('/0.index'), baseOffset)
    expect(entriesOf(reopened)).toEqual(entriesOf(index))
    file.close()
  })
})
