import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptGroupRecordError } from '../../src/groups/group-errors.ts'
import {
  bucketOf,
  decodeBucket,
  decodeQueueStateKey,
  decodeStart,
  encodeBucket,
  encodeQueueStateKey,
  encodeStart,
} from '../../src/queues/queue-state-schema.ts'

test('keys, starts and buckets are read as they were written', () => {
  for (const bucket of [null, 0, 2 ** 40]) {
    const key = { queue: 'mail', topicId: 'id', partition: 3, bucket }
    expect(decodeQueueStateKey(encodeQueueStateKey(key))).toEqual(key)
  }
  expect(decodeStart(encodeStart(2 ** 50))).toBe(2 ** 50)
  const runs = [
    { firstOffset: 256, lastOffset: 300, deliveryCount: null, availableAt: 0 },
    { firstOffset: 301, lastOffset: 301, deliveryCount: 2, availableAt: 1_700_000_000_000 },
    { firstOffset: 383, lastOffset: 383, deliveryCount: 0, availableAt: 5 },
  ]
  expect(bucketOf(300)).toBe(2)
  expect(decodeBucket(2, encodeBucket(2, runs))).toEqual(runs)
})

test('any bytes are decoded or refused with the typed error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
      const bytes = Buffer.from([0, 0, ...array])
      for (const decode of [
        decodeQueueStateKey,
        decodeStart,
        (given: Buffer) => decodeBucket(1, given),
      ]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptGroupRecordError)
        }
      }
    }),
  )
})
