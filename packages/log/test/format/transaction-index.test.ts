import { AssertionError } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AbortedTransaction,
  decodeTransactionIndex,
  TransactionIndex,
} from '../../src/format/transaction-index.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'
import { SimulatedFileSystem } from '../../src/testing/simulated-file-system.ts'

const seed = seedFromEnvironment('transaction index')
const baseOffset = 100

/** As a log leaves them: markers in order, last stable offsets that do not go back. */
const transactionLists = fc
  .array(
    fc.record({
      producerId: fc.nat(),
      markerStep: fc.integer({ min: 1, max: 20 }),
      sizeOffsets: fc.integer({ min: 1, max: 60 }),
      stableLag: fc.integer({ min: 0, max: 40 }),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let marker = baseOffset - 1
    let stable = 0
    return steps.map((step): AbortedTransaction => {
      marker += step.markerStep
      stable = Math.max(stable, marker + 1 - step.stableLag)
      return {
        version: 0,
        producerId: step.producerId,
        firstOffset: Math.max(0, marker - step.sizeOffsets),
        lastOffset: marker,
        lastStableOffset: stable,
      }
    })
  })

function indexOf(transactions: readonly AbortedTransaction[]): TransactionIndex {
  const index = new TransactionIndex(baseOffset)
  for (const transaction of transactions) index.append(transaction)
  return index
}

function entriesOf(index: TransactionIndex): AbortedTransaction[] {
  return Array.from({ length: index.count }, (_, entry) => index.entryAt(entry))
}

test('collects what touches the range and says whether later segments matter', () => {
  fc.assert(
    fc.property(transactionLists, fc.nat(900), fc.nat(100), (transactions, from, size) => {
      const upperBound = from + size
      const { aborted, isComplete } = indexOf(transactions).collect(from, upperBound)
      const touching = transactions.filter(
        ({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < upperBound,
      )
      const stop = transactions.findIndex((it) => it.lastStableOffset >= upperBound)
      expect(isComplete).toBe(stop >= 0)
      const searched = stop < 0 ? transactions : transactions.slice(0, stop + 1)
      expect(aborted).toEqual(touching.filter((transaction) => searched.includes(transaction)))
    }),
    { seed },
  )
})

test('stops the search at an entry that was made with everything in the range stable', () => {
  const index = indexOf([
    { version: 0, producerId: 0, firstOffset: 100, lastOffset: 110, lastStableOffset: 111 },
    { version: 0, producerId: 1, firstOffset: 105, lastOffset: 125, lastStableOffset: 112 },
    { version: 0, producerId: 2, firstOffset: 118, lastOffset: 135, lastStableOffset: 125 },
    { version: 0, producerId: 3, firstOffset: 132, lastOffset: 150, lastStableOffset: 151 },
  ])
  const producers = (from: number, to: number): unknown => {
    const { aborted, isComplete } = index.collect(from, to)
    return [aborted.map(({ producerId }) => producerId), isComplete]
  }
  expect(producers(100, 200)).toEqual([[0, 1, 2, 3], false])
  expect(producers(100, 132)).toEqual([[0, 1, 2], true])
  expect(producers(126, 132)).toEqual([[2], true])
  expect(producers(100, 111)).toEqual([[0], true])
  expect(producers(136, 140)).toEqual([[3], true])
  expect(producers(151, 160)).toEqual([[], false])
})

test('refuses a marker that is not behind the last one, or before the segment', () => {
  const transaction = { producerId: 1, firstOffset: 1, lastOffset: 105, lastStableOffset: 106 }
  const index = new TransactionIndex(baseOffset)
  index.append(transaction)
  expect(() => index.append(transaction)).toThrow(AssertionError)
  expect(() => index.append({ ...transaction, lastOffset: 104 })).toThrow(AssertionError)
  const other = new TransactionIndex(106)
  expect(() => other.append(transaction)).toThrow(AssertionError)
})

describe('the file', () => {
  test('decodes to the same entries and encodes to the same bytes', () => {
    fc.assert(
      fc.property(transactionLists, (transactions) => {
        const bytes = Buffer.from(indexOf(transactions).encode())
        expect(bytes.length).toBe(transactions.length * 34)
        const { index, problem } = decodeTransactionIndex(bytes, baseOffset)
        expect(problem).toBeNull()
        expect(entriesOf(index)).toEqual(transactions)
        expect(index.encode()).toEqual(bytes)
      }),
      { seed },
    )
  })

  const valid = indexOf([
    { version: 0, producerId: 7, firstOffset: 90, lastOffset: 110, lastStableOffset: 111 },
    { version: 0, producerId: 8, firstOffset: 95, lastOffset: 120, lastStableOffset: 121 },
  ]).encode()

  test.each([
    ['a newer version', 35, '01', 'range', 1],
    ['a negative producer id', 36, 'ff', 'range', 1],
    ['a producer id beyond 2^53', 36, '7f', 'range', 1],
    ['a transaction that ends before it begins', 51, '79', 'range', 1],
    ['a marker before the segment', 33 - 8, '01', 'range', 0],
    ['a marker that goes back', 34 + 25, '6e', 'order', 1],
    ['a last stable offset below zero', 60, '80', 'range', 1],
  ])('with %s is read up to there', (_, position, hex, kind, entry) => {
    const bytes = Buffer.from(valid)
    bytes.set(Buffer.from(hex, 'hex'), position)
    expect(decodeTransactionIndex(bytes, baseOffset).problem).toMatchObject({ kind, entry })
  })

  test('with an incomplete last entry is read up to there', () => {
    const { index, problem } = decodeTransactionIndex(valid.subarray(0, 60), baseOffset)
    expect(index.count).toBe(1)
    expect(problem).toMatchObject({ kind: 'length', entry: 1, position: 34 })
  })

  test('of an older version than any is read, as Kafka reads it', () => {
    const bytes = Buffer.from(valid)
    bytes.writeInt16BE(-1, 0)
    const { index, problem } = decodeTransactionIndex(bytes, baseOffset)
    expect(problem).toBeNull()
    expect(index.entryAt(0).version).toBe(-1)
  })

  test('of any bytes at all reads as a valid prefix of them', () => {
    const mutated = fc
      .tuple(transactionLists, fc.nat(), fc.nat(255))
      .map(([transactions, at, value]) => {
        const bytes = Buffer.from(indexOf(transactions).encode())
        if (bytes.length > 0) bytes[at % bytes.length] = value
        return bytes
      })
    const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(random, mutated), (bytes) => {
        const { index, problem } = decodeTransactionIndex(bytes, baseOffset)
        expect(bytes.subarray(0, index.sizeBytes).equals(index.encode())).toBe(true)
        expect(problem === null).toBe(index.sizeBytes === bytes.length)
        for (const entry of entriesOf(index)) {
          expect(Object.values(entry).every(Number.isSafeInteger)).toBe(true)
        }
        expect(TransactionIndex.decode(bytes, baseOffset).count).toBe(index.count)
      }),
      { seed, numRuns: 500 },
    )
  })

  test('is saved and reopened with the same entries', () => {
    const fs = new SimulatedFileSystem()
    const file = fs.open('/0.txnindex', 'create')
    const index = decodeTransactionIndex(valid, baseOffset).index
    index.append({ producerId: 9, firstOffset: 130, lastOffset: 140, lastStableOffset: 141 })
    expect(index.unsavedBytes).toBe(34)
    expect(index.isUnsaved).toBe(true)
    const fresh = indexOf(entriesOf(index))
    fresh.save(file)
    expect(fs.bytesOf('/0.txnindex')).toEqual(index.encode())
    file.close()
  })
})
