import { RecordBatchBuilder, type RecordInput } from '@varve/record'
import { expect, test } from 'vitest'
import { deliverAtHeader, makeEntry, rawRecordOf } from '../../src/queues/queue-entry.ts'

const place = { topic: 'mail', partition: 2 }

function recordOf(input: RecordInput) {
  const batch = new RecordBatchBuilder({ defaultTimestamp: 7 }).append(input).build()
  for (const record of batch.records()) return { record, batch }
  throw new Error('the batch is empty')
}

test('an entry keeps its record in memory of its own', () => {
  const { record, batch } = recordOf({ key: 'k', value: 'v', headers: [{ key: 'h', value: null }] })
  const raw = rawRecordOf(record, place)
  batch.bytes.fill(0)
  expect(raw).toMatchObject({ ...place, timestamp: 7, headers: [{ key: 'h', value: null }] })
  expect([String(raw.key), String(raw.value)]).toEqual(['k', 'v'])
})

test('an entry is ordered by its key, and kept at hand, where that is asked for', () => {
  const { record } = recordOf({ key: 'k', value: 'vvv' })
  const options = { isOrdered: true, keepsRecord: true }
  expect(makeEntry(record, place, options)).toMatchObject({ orderKey: 'k', sizeBytes: 4 })
  const bare = makeEntry(record, place, { isOrdered: false, keepsRecord: false })
  expect([bare.orderKey, bare.record]).toEqual([null, null])
})

test.each([
  ['1700000000000', 1_700_000_000_000],
  ['-5', 0],
  ['soon', 0],
  ['1e400', 0],
  ['99999999999999999999999', 0],
])('a time of delivery of %s is %i', (text, expected) => {
  const { record } = recordOf({ value: 'v', headers: [{ key: deliverAtHeader, value: text }] })
  const options = { isOrdered: false, keepsRecord: true }
  expect(makeEntry(record, place, options).availableAt).toBe(expected)
})
