import {
  CorruptBatchError,
  endTransactionMarkerBatch,
  type RecordBatch,
  RecordBatchBuilder,
} from '@varve/record'
import { expect, test } from 'vitest'
import { batchesOf, committedBatches } from '../../src/cluster/fetch-answer.ts'

function batch(baseOffset: number, producerId: number, isTransactional = true): RecordBatch {
  const identity = { producerId, producerEpoch: 0, baseSequence: 0 }
  const builder = new RecordBatchBuilder({ ...identity, isTransactional, baseOffset })
  builder.append({ value: `${baseOffset}` })
  return builder.build()
}

function marker(baseOffset: number, producerId: number, type: 'abort' | 'commit'): RecordBatch {
  const epochs = { producerEpoch: 0, coordinatorEpoch: 0 }
  return endTransactionMarkerBatch({ type, producerId, ...epochs, timestamp: 1, baseOffset })
}

test('whole batches are read and checked, one that is cut short is left for the next time', () => {
  const [first, second] = [batch(0, 1), batch(1, 1)]
  const bytes = Buffer.concat([first.bytes, second.bytes])
  expect(batchesOf(bytes).map(({ baseOffset }) => baseOffset)).toEqual([0, 1])
  expect(batchesOf(bytes.subarray(0, bytes.length - 1))).toHaveLength(1)
  expect(batchesOf(null)).toEqual([])
  const rotten = Buffer.from(bytes)
  rotten.writeUInt8(rotten.readUInt8(65) ^ 1, 65)
  expect(() => batchesOf(rotten)).toThrow(CorruptBatchError)
})

test('what was aborted is left out, from its first offset to its marker', () => {
  const batches = [
    batch(0, 7),
    batch(1, 8),
    batch(2, 9, false),
    marker(3, 7, 'abort'),
    batch(4, 7),
    marker(5, 8, 'commit'),
    batch(6, 7),
    marker(7, 7, 'abort'),
    batch(8, 7),
    marker(9, 7, 'commit'),
  ]
  const aborted = [
    { producerId: 7, firstOffset: 4 },
    { producerId: 7, firstOffset: 0 },
  ]
  const seen = committedBatches(batches, aborted).map(({ baseOffset }) => baseOffset)
  expect(seen).toEqual([1, 2, 8])
})
