import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Batch,
  type CompressionType,
  MovingBatch,
  RecordBatch,
  RecordBatchBuilder,
  VarveError,
} from '../src/index.ts'
import { checkProperty } from './property.ts'
import { plainRecord } from './record-samples.ts'

const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

describe('one object for the batches in a piece of memory', () => {
  test('is, at each of them, what a RecordBatch of the same bytes is', () => {
    const { memory, places } = batchesInMemory()
    const moving = new MovingBatch()
    for (const [start, end] of places) {
      moving.moveTo(memory, start, end, 1000 + start)
      const batch = new RecordBatch(memory.subarray(start, end), 1000 + start)
      expect(factsOf(moving)).toEqual(factsOf(batch))
    }
    expect(places.length).toBeGreaterThan(codecs.length)
  })

  test('refuses what a RecordBatch refuses, in the same words, and says the same of the rest', () => {
    const { memory, places } = batchesInMemory()
    const moving = new MovingBatch()
    const change = fc.record({
      place: fc.constantFrom(...places),
      at: fc.nat(70),
      byte: fc.nat(255),
      sizeChange: fc.constantFrom(0, 0, 0, -1, 1, -40),
    })
    checkProperty(change, 3000, ({ place: [start, end], at, byte, sizeChange }) => {
      const changed = Buffer.from(memory)
      const changedEnd = Math.min(end + sizeChange, changed.length)
      changed[Math.min(start + at, end - 1)] = byte
      const expected = outcome(() =>
        factsOf(new RecordBatch(changed.subarray(start, changedEnd), 7)),
      )
      const found = outcome(() => {
        moving.moveTo(changed, start, changedEnd, 7)
        return factsOf(moving)
      })
      expect(found).toEqual(expected)
    })
  })

  test('is at the next batch after one that it refused', () => {
    const { memory, places } = batchesInMemory()
    const [first, second] = places
    const [start, end] = first ?? [0, 0]
    const moving = new MovingBatch()
    expect(() => moving.moveTo(memory, start, end - 1, 0)).toThrow('size field')
    const [nextStart, nextEnd] = second ?? [0, 0]
    moving.moveTo(memory, nextStart, nextEnd, 5)
    expect(moving.bytes.equals(memory.subarray(nextStart, nextEnd))).toBe(true)
    expect(moving.position).toBe(5)
  })
})

/** All that a batch says of itself; what it says by throwing, too. */
function factsOf(batch: Batch): object {
  return {
    magic: batch.magic,
    bytes: batch.bytes.toString('hex'),
    position: batch.position,
    sizeBytes: batch.sizeBytes,
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    nextOffset: batch.nextOffset,
    count: batch.count,
    leaderEpoch: batch.leaderEpoch,
    compressionType: outcome(() => batch.compressionType),
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizon: batch.deleteHorizon,
    crc: batch.crc,
    isChecksumValid: batch.isChecksumValid(),
    validate: outcome(() => batch.validate()),
    records: outcome(() => [...batch.records()].map(plainRecord)),
  }
}

function outcome(ask: () => unknown): unknown {
  try {
    return ask()
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return `${error.name}: ${error.message}`
  }
}

/** One of each codec, with and without a producer; the memory begins within a larger one. */
function batchesInMemory(): {
  readonly memory: Buffer
  readonly places: ReadonlyArray<readonly [start: number, end: number]>
} {
  const batches: Buffer[] = []
  for (const compressionType of codecs) {
    batches.push(batchOf(compressionType, {}))
    batches.push(
      batchOf(compressionType, { producerId: 2 ** 40, producerEpoch: 3, baseSequence: 2 }),
    )
  }
  const whole = Buffer.concat([Buffer.alloc(13), ...batches])
  const memory = whole.subarray(13)
  let start = 0
  const places = batches.map(({ length }) => {
    start += length
    return [start - length, start] as const
  })
  return { memory, places }
}

function batchOf(compressionType: CompressionType, producer: object): Buffer {
  const options = { baseOffset: 2 ** 33 + 5, leaderEpoch: 9, defaultTimestamp: 1_700_000_000_000 }
  const builder = new RecordBatchBuilder({ compressionType, ...options, ...producer })
  for (const value of ['a', 'b'.repeat(300), null]) builder.append({ key: 'k', value })
  return builder.build().bytes
}
