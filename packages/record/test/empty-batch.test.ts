import { expect, test } from 'vitest'
import { emptyBatchOf, RecordBatchBuilder } from '../src/index.ts'

test('an empty batch keeps the identity of the batch it stands for, and nothing else', () => {
  for (const timestampType of ['CreateTime', 'LogAppendTime'] as const) {
    const batch = new RecordBatchBuilder({
      compressionType: 'lz4',
      timestampType,
      baseOffset: 2 ** 33,
      leaderEpoch: 4,
      producerId: 17,
      producerEpoch: 2,
      baseSequence: 2 ** 31 - 1,
      isTransactional: true,
      isControl: true,
      deleteHorizon: 5,
    })
      .append({ value: 'a', timestamp: 10 })
      .append({ value: 'b', timestamp: 20 }, 7)
      .build({ lastOffsetDelta: 9 })
    const empty = emptyBatchOf(batch)
    empty.validate()
    expect(empty).toMatchObject({
      sizeBytes: 61,
      count: 0,
      baseOffset: 2 ** 33,
      lastOffset: 2 ** 33 + 9,
      nextOffset: 2 ** 33 + 10,
      leaderEpoch: 4,
      compressionType: 'none',
      timestampType,
      baseTimestamp: -1,
      maxTimestamp: 20,
      deleteHorizon: null,
      producerId: 17,
      producerEpoch: 2,
      baseSequence: 2 ** 31 - 1,
      lastSequence: 8,
      isTransactional: true,
      isControl: true,
    })
    expect([...empty.records()]).toEqual([])
  }
})
