import { beforeEach, expect, test } from 'vitest'
import { OpenTransactions } from '../../src/producers/open-transactions.ts'

let transactions: OpenTransactions

beforeEach(() => {
  transactions = new OpenTransactions()
})

test('are kept by first offset, in whatever order a snapshot names them', () => {
  for (const firstOffset of [30, 10, 20, 10]) {
    transactions.begin({ producerId: firstOffset, firstOffset })
  }
  expect(transactions.ongoing.map(({ firstOffset }) => firstOffset)).toEqual([10, 10, 20, 30])
  expect(transactions.firstOffset).toBe(10)
})

test('that begin at one offset, as damaged snapshots may say, are ended one by one', () => {
  transactions.begin({ producerId: 1, firstOffset: 10 })
  transactions.begin({ producerId: 2, firstOffset: 10 })
  expect(transactions.decide({ producerId: 1, firstOffset: 10 }, 20)).toBe(10)
  expect(transactions.ongoing).toEqual([{ producerId: 2, firstOffset: 10 }])
})

test('that are decided hold readers back until the high watermark has passed the marker', () => {
  transactions.begin({ producerId: 1, firstOffset: 10 })
  transactions.begin({ producerId: 2, firstOffset: 15 })
  expect(transactions.decide({ producerId: 1, firstOffset: 10 }, 20)).toBe(15)
  expect(transactions.decide({ producerId: 2, firstOffset: 15 }, 21)).toBe(22)
  transactions.advanceHighWatermark(20)
  expect(transactions.firstOffset).toBe(10)
  transactions.advanceHighWatermark(21)
  expect(transactions.firstOffset).toBe(15)
  transactions.advanceHighWatermark(22)
  expect(transactions.firstOffset).toBeNull()
})

test('are all forgotten at once', () => {
  transactions.begin({ producerId: 1, firstOffset: 10 })
  transactions.decide({ producerId: 1, firstOffset: 10 }, 20)
  transactions.begin({ producerId: 1, firstOffset: 30 })
  transactions.clear()
  expect(transactions.firstOffset).toBeNull()
  expect(transactions.ongoing).toEqual([])
})
