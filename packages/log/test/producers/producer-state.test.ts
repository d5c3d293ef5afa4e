import {
  CorruptBatchError,
  emptyBatchOf,
  endTransactionMarkerBatch,
  incrementSequence,
  type RecordBatch,
  RecordBatchBuilder,
} from '@varve/record'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  InvalidProducerEpochError,
  InvalidTransactionStateError,
  MissingSequenceError,
  OutOfOrderSequenceError,
  TransactionCoordinatorFencedError,
} from '../../src/base/producer-errors.ts'
import { decodeProducerSnapshot } from '../../src/format/producer-snapshot.ts'
import {
  type CompletedTransaction,
  ProducerStateManager,
} from '../../src/producers/producer-state.ts'
import { seedFromEnvironment } from '../../src/testing/random.ts'

const seed = seedFromEnvironment('producer state')
const sequenceMax = 2 ** 31 - 1

interface DataOptions {
  readonly producerId?: number
  readonly epoch?: number
  readonly isTransactional?: boolean
  readonly count?: number
  readonly timestamp?: number
}

function data(sequence: number, options: DataOptions = {}): RecordBatch {
  const builder = new RecordBatchBuilder({
    producerId: options.producerId ?? 1,
    producerEpoch: options.epoch ?? 0,
    baseSequence: sequence,
    isTransactional: options.isTransactional ?? false,
    defaultTimestamp: options.timestamp ?? 1000,
  })
  for (let record = 0; record < (options.count ?? 1); record += 1) builder.append({ value: 'x' })
  return builder.build()
}

interface MarkerOptions {
  readonly producerId?: number
  readonly epoch?: number
  readonly coordinatorEpoch?: number
  readonly timestamp?: number
}

function marker(type: 'abort' | 'commit', options: MarkerOptions = {}): RecordBatch {
  return endTransactionMarkerBatch({
    type,
    producerId: options.producerId ?? 1,
    producerEpoch: options.epoch ?? 0,
    coordinatorEpoch: options.coordinatorEpoch ?? 0,
    timestamp: options.timestamp ?? 1000,
  })
}

let manager: ProducerStateManager
let nextOffset: number

beforeEach(() => {
  manager = new ProducerStateManager()
  nextOffset = 0
})

/** As the log's writer does it: check, place, update. */
function appendTo(batch: RecordBatch): CompletedTransaction | null {
  expect(manager.check(batch)).toEqual({ kind: 'append' })
  const baseOffset = nextOffset
  nextOffset += batch.count
  return manager.update(batch, baseOffset, nextOffset - 1)
}

describe('sequence numbers', () => {
  test('that follow each other are appended, from whatever number an unknown producer begins', () => {
    appendTo(data(16, { count: 3 }))
    appendTo(data(19))
    appendTo(data(20, { count: 2 }))
    expect(manager.producer(1)?.batches.map((batch) => batch.lastSequence)).toEqual([18, 19, 21])
    expect(manager.endOffset).toBe(6)
  })

  test('that leave a gap or go back are refused and change nothing', () => {
    appendTo(data(0, { count: 3 }))
    for (const sequence of [4, 100, 2, 1, sequenceMax]) {
      expect(() => manager.check(data(sequence))).toThrow(OutOfOrderSequenceError)
    }
    appendTo(data(3))
  })

  test('wrap from 2^31-1 to 0, between batches and within one', () => {
    appendTo(data(sequenceMax - 1, { count: 2 }))
    expect(() => manager.check(data(1))).toThrow(OutOfOrderSequenceError)
    appendTo(data(0, { count: 10 }))
    manager.clear()
    appendTo(data(sequenceMax - 9, { count: 20 }))
    expect(manager.producer(1)?.batches[0]?.lastSequence).toBe(9)
    expect(() => manager.check(data(0))).toThrow(OutOfOrderSequenceError)
    appendTo(data(10))
  })

  test('are needed from a client that gives its id', () => {
    expect(() => manager.check(data(-1))).toThrow(MissingSequenceError)
    expect(manager.check(data(-1), 'coordinator')).toEqual({ kind: 'append' })
  })

  test('do not matter without a producer id, as with clients that send 0 nevertheless', () => {
    const batch = data(0, { producerId: -1 })
    appendTo(batch)
    appendTo(batch)
    expect(manager.producerCount).toBe(0)
    expect(manager.endOffset).toBe(2)
  })

  test('are not checked of batches from the log itself', () => {
    manager.update(data(0), 0, 0)
    expect(manager.check(data(15), 'recovery')).toEqual({ kind: 'append' })
    manager.update(data(15), 1, 1)
    manager.update(data(7), 2, 2)
    appendTo(data(8))
  })

  test('of a refusal are told in the error, with the code of the protocol', () => {
    appendTo(data(4))
    const refusal = expect.objectContaining({
      code: 'VARVE_OUT_OF_ORDER_SEQUENCE',
      kafkaErrorCode: 45,
      retriable: false,
      producerId: 1,
      sequence: 9,
      lastSequence: 4,
    })
    expect(() => manager.check(data(9))).toThrow(refusal)
  })
})

describe('the same batch again', () => {
  test('is recognised among the last five, with the place that it has', () => {
    const batches = Array.from({ length: 5 }, (_, index) =>
      data(index * 2, { count: 2, timestamp: 500 + index }),
    )
    for (const batch of batches) appendTo(batch)
    for (const [index, batch] of batches.entries()) {
      expect(manager.check(batch)).toEqual({
        kind: 'duplicate',
        baseOffset: index * 2,
        lastOffset: index * 2 + 1,
        timestamp: 500 + index,
      })
    }
    appendTo(data(10))
    expect(() => manager.check(data(0, { count: 2 }))).toThrow(OutOfOrderSequenceError)
    expect(manager.check(data(2, { count: 2 })).kind).toBe('duplicate')
  })

  test('must have exactly the same range', () => {
    appendTo(data(0, { count: 3 }))
    appendTo(data(3, { count: 3 }))
    for (const [sequence, count] of [
      [0, 2],
      [1, 2],
      [0, 6],
      [2, 2],
    ] as const) {
      expect(() => manager.check(data(sequence, { count }))).toThrow(OutOfOrderSequenceError)
    }
  })

  test('is recognised though it wraps', () => {
    const batch = data(sequenceMax - 1, { count: 4 })
    appendTo(batch)
    expect(manager.check(batch)).toMatchObject({ kind: 'duplicate', baseOffset: 0, lastOffset: 3 })
  })

  test('of the newest batch only is recognised after a snapshot', () => {
    appendTo(data(0))
    appendTo(data(1, { count: 4 }))
    const snapshot = decodeProducerSnapshot(manager.encodeSnapshot(), 'x.snapshot')
    manager.load(snapshot, manager.endOffset)
    expect(manager.check(data(1, { count: 4 }))).toMatchObject({ kind: 'duplicate', baseOffset: 1 })
    expect(() => manager.check(data(0))).toThrow(OutOfOrderSequenceError)
    appendTo(data(5))
  })

  test('from a coordinator is appended again', () => {
    appendTo(data(0))
    expect(manager.check(data(0), 'coordinator')).toEqual({ kind: 'append' })
  })
})

describe('epochs', () => {
  test('begin with sequence 0', () => {
    appendTo(data(7))
    expect(() => manager.check(data(8, { epoch: 1 }))).toThrow(OutOfOrderSequenceError)
    appendTo(data(0, { epoch: 1 }))
    expect(manager.producer(1)).toMatchObject({ epoch: 1, batches: [{ lastSequence: 0 }] })
  })

  test('that are old are refused, whoever appends', () => {
    appendTo(data(0, { epoch: 5 }))
    for (const origin of ['client', 'coordinator'] as const) {
      expect(() => manager.check(data(1, { epoch: 4 }), origin)).toThrow(InvalidProducerEpochError)
    }
    const refusal = expect.objectContaining({ kafkaErrorCode: 47, latestProducerEpoch: 5 })
    expect(() => manager.check(marker('commit', { epoch: 4 }))).toThrow(refusal)
  })

  test('are raised by a marker, after which sequences begin with 0', () => {
    appendTo(data(0))
    appendTo(marker('abort', { epoch: 1 }))
    expect(manager.producer(1)).toMatchObject({ epoch: 1, batches: [] })
    expect(() => manager.check(data(1))).toThrow(InvalidProducerEpochError)
    expect(() => manager.check(data(1, { epoch: 1 }))).toThrow(OutOfOrderSequenceError)
    appendTo(data(0, { epoch: 1 }))
  })
})

describe('transactions', () => {
  const transactional = { isTransactional: true }

  test('hold the first unstable offset until their marker is below the high watermark', () => {
    expect(manager.firstUnstableOffset()).toBeNull()
    appendTo(data(0))
    appendTo(data(1, transactional))
    appendTo(data(2, transactional))
    expect(manager.firstUnstableOffset()).toBe(1)
    expect(manager.lastStableOffset(3)).toBe(1)
    const completed = appendTo(marker('commit'))
    expect(completed).toEqual({
      producerId: 1,
      firstOffset: 1,
      lastOffset: 3,
      isAborted: false,
      lastStableOffset: 4,
    })
    expect(manager.lastStableOffset(3)).toBe(1)
    expect(manager.firstUnstableOffset()).toBe(1)
    expect(manager.lastStableOffset(4)).toBe(4)
    expect(manager.firstUnstableOffset()).toBeNull()
  })

  test('beyond the high watermark do not hold it back, and what was deleted is not waited for', () => {
    appendTo(data(0))
    appendTo(data(1, transactional))
    expect(manager.lastStableOffset(1)).toBe(1)
    appendTo(data(2, transactional))
    expect(manager.lastStableOffset(3, 2)).toBe(2)
  })

  test('of others decide how far an abort finds the log stable', () => {
    appendTo(data(0, { ...transactional, producerId: 1 }))
    appendTo(data(0, { ...transactional, producerId: 2 }))
    appendTo(data(0, { ...transactional, producerId: 3 }))
    expect(manager.ongoingTransactions()).toEqual([
      { producerId: 1, firstOffset: 0 },
      { producerId: 2, firstOffset: 1 },
      { producerId: 3, firstOffset: 2 },
    ])
    expect(appendTo(marker('abort', { producerId: 2 }))).toMatchObject({
      firstOffset: 1,
      isAborted: true,
      lastStableOffset: 0,
    })
    expect(appendTo(marker('abort', { producerId: 1 }))).toMatchObject({ lastStableOffset: 2 })
    expect(appendTo(marker('abort', { producerId: 3 }))).toMatchObject({ lastStableOffset: 6 })
    expect(manager.ongoingTransactions()).toEqual([])
  })

  test('without data have markers that complete nothing', () => {
    expect(appendTo(marker('commit', { coordinatorEpoch: 3 }))).toBeNull()
    expect(manager.producer(1)).toMatchObject({
      epoch: 0,
      coordinatorEpoch: 3,
      lastTimestamp: 1000,
    })
    expect(manager.lastStableOffset(1)).toBe(1)
  })

  test('refuse a batch outside them from the same producer', () => {
    appendTo(data(0, transactional))
    const refusal = expect.objectContaining({
      code: 'VARVE_INVALID_TRANSACTION_STATE',
      kafkaErrorCode: 48,
    })
    expect(() => manager.check(data(1))).toThrow(InvalidTransactionStateError)
    expect(() => manager.check(data(1), 'coordinator')).toThrow(refusal)
    appendTo(data(1, transactional))
    appendTo(marker('commit'))
    appendTo(data(2))
  })

  test('are ended by the newest coordinator only', () => {
    appendTo(data(0, transactional))
    appendTo(marker('commit', { coordinatorEpoch: 5 }))
    appendTo(data(1, transactional))
    const refusal = expect.objectContaining({ kafkaErrorCode: 52, latestCoordinatorEpoch: 5 })
    expect(() => manager.check(marker('abort', { coordinatorEpoch: 4 }))).toThrow(refusal)
    expect(() => manager.check(marker('abort', { coordinatorEpoch: 4 }))).toThrow(
      TransactionCoordinatorFencedError,
    )
    expect(appendTo(marker('abort', { coordinatorEpoch: 5 }))?.isAborted).toBe(true)
  })

  test('whose marker was emptied by compaction stay as they are', () => {
    appendTo(data(0, transactional))
    const empty = emptyBatchOf(marker('commit', { epoch: 3 }))
    expect(manager.update(empty, 1, 1)).toBeNull()
    expect(manager.producer(1)).toMatchObject({ epoch: 0, currentTransactionFirstOffset: 0 })
  })

  test('are not ended by a control record of another kind', () => {
    appendTo(data(0, transactional))
    const other = new RecordBatchBuilder({ producerId: 1, producerEpoch: 0, isControl: true })
      .append({ key: Buffer.from([0, 0, 0, 99]), value: null })
      .build()
    expect(appendTo(other)).toBeNull()
    expect(manager.firstUnstableOffset()).toBe(0)
  })

  test('with a marker that cannot be read are refused', () => {
    appendTo(data(0, transactional))
    const empty = new RecordBatchBuilder({ producerId: 1, producerEpoch: 0, isControl: true })
      .append({ key: Buffer.from([0, 0, 0, 1]), value: Buffer.alloc(0) })
      .build()
    expect(() => manager.check(empty)).toThrow(CorruptBatchError)
    expect(() => manager.update(empty, 1, 1)).toThrow(CorruptBatchError)
  })
})

describe('expiry', () => {
  test('forgets idle producers by record time, but none with an open transaction', () => {
    appendTo(data(0, { producerId: 1, timestamp: 100 }))
    appendTo(data(0, { producerId: 2, timestamp: 101 }))
    appendTo(data(0, { producerId: 3, timestamp: 0, isTransactional: true }))
    expect(manager.expire(150, 50)).toBe(1)
    expect([...manager.entries()].map(({ producerId }) => producerId)).toEqual([2, 3])
    expect(manager.expire(10_000, 50)).toBe(1)
    expect(manager.firstUnstableOffset()).toBe(2)
    appendTo(data(77, { producerId: 1, timestamp: 200 }))
  })
})

describe('a snapshot at any point, with the batches after it,', () => {
  const step = fc.record({
    producerId: fc.integer({ min: 1, max: 4 }),
    kind: fc.constantFrom('data', 'data', 'transactional', 'commit', 'abort', 'bump' as const),
    count: fc.integer({ min: 1, max: 5 }),
  })

  /** Valid batches for a random course of events, as clients and coordinators make them. */
  function batchesOf(steps: readonly { producerId: number; kind: string; count: number }[]) {
    const states = new Map<number, { epoch: number; sequence: number; isOpen: boolean }>()
    return steps.map(({ producerId, kind, count }, index) => {
      const state = states.get(producerId) ?? { epoch: 0, sequence: 0, isOpen: false }
      states.set(producerId, state)
      const timestamp = index
      if (kind === 'commit' || kind === 'abort') {
        state.isOpen = false
        return marker(kind, { producerId, epoch: state.epoch, coordinatorEpoch: index, timestamp })
      }
      if (kind === 'bump') {
        state.epoch += 1
        state.sequence = 0
      }
      if (kind === 'transactional') state.isOpen = true
      const { epoch, sequence, isOpen } = state
      state.sequence = incrementSequence(sequence, count)
      return data(sequence, { producerId, epoch, count, timestamp, isTransactional: isOpen })
    })
  }

  test('leads to the same state as all batches', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(), (steps, cut) => {
        const batches = batchesOf(steps)
        const whole = new ProducerStateManager()
        let resumed = new ProducerStateManager()
        let offset = 0
        for (const [index, batch] of batches.entries()) {
          if (index === cut % batches.length) {
            const snapshot = decodeProducerSnapshot(whole.encodeSnapshot(), 'x.snapshot')
            resumed = new ProducerStateManager()
            resumed.load(snapshot, offset)
          }
          expect(whole.check(batch)).toEqual({ kind: 'append' })
          expect(resumed.check(batch)).toEqual({ kind: 'append' })
          const lastOffset = offset + batch.count - 1
          const completed = whole.update(batch, offset, lastOffset)
          expect(resumed.update(batch, offset, lastOffset)).toEqual(completed)
          offset = lastOffset + 1
        }
        expect(resumed.encodeSnapshot()).toEqual(whole.encodeSnapshot())
        expect(resumed.lastStableOffset(offset)).toBe(whole.lastStableOffset(offset))
        expect(resumed.ongoingTransactions()).toEqual(whole.ongoingTransactions())
        expect(resumed.endOffset).toBe(offset)
      }),
      { seed, numRuns: 200 },
    )
  })
})

test('the last stable offset is that of a plain count of transactions', () => {
  const step = fc.record({
    producerId: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom('data', 'end', 'advance' as const),
    by: fc.integer({ min: 0, max: 6 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const state = new ProducerStateManager()
      const transactions: { producerId: number; first: number; markerOffset: number | null }[] = []
      const sequences = new Map<number, number>()
      let offset = 0
      let highWatermark = 0
      for (const { producerId, kind, by } of steps) {
        const open = transactions.find(
          (it) => it.producerId === producerId && it.markerOffset === null,
        )
        if (kind === 'data') {
          const sequence = sequences.get(producerId) ?? 0
          sequences.set(producerId, sequence + 1)
          state.update(data(sequence, { producerId, isTransactional: true }), offset, offset)
          if (!open) transactions.push({ producerId, first: offset, markerOffset: null })
          offset += 1
        } else if (kind === 'end') {
          state.update(marker('abort', { producerId }), offset, offset)
          if (open) open.markerOffset = offset
          offset += 1
        } else {
          highWatermark = Math.min(offset, highWatermark + by)
        }
        const unstable = transactions
          .filter((it) => it.markerOffset === null || it.markerOffset >= highWatermark)
          .map((it) => it.first)
        expect(state.lastStableOffset(highWatermark)).toBe(Math.min(highWatermark, ...unstable))
      }
    }),
    { seed, numRuns: 200 },
  )
})
