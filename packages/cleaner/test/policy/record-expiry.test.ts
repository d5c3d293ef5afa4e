import { type LogRecord, RecordBatchBuilder, type RecordHeaderInput } from '@varve/record'
import { expect, test } from 'vitest'
import { expiresAtHeader, isExpired } from '../../src/policy/record-expiry.ts'

function recordOf(timestamp: number, expiresAt?: string | null): LogRecord {
  const headers: RecordHeaderInput[] = [{ key: 'other', value: '1' }]
  if (expiresAt !== undefined) headers.push({ key: expiresAtHeader, value: expiresAt })
  const batch = new RecordBatchBuilder().append({ value: 'v', timestamp, headers }).build()
  const [record] = batch.records()
  if (record === undefined) throw new Error('the batch has a record')
  return record
}

test.each([
  ['by the time to live of its topic, at that very moment', recordOf(1000), 500, 1500, true],
  ['not before', recordOf(1000), 500, 1499, false],
  ['never, where the topic sets none', recordOf(0), -1, 2 ** 52, false],
  ['never by the topic, where it has no timestamp', recordOf(-1), 1, 2 ** 52, false],
  ['by its own header', recordOf(1000, '1200'), -1, 1200, true],
  ['not before its own header says', recordOf(1000, '1200'), -1, 1199, false],
  ['by whichever comes first', recordOf(1000, '9000'), 500, 1500, true],
  ['not by a header that is no number', recordOf(1000, 'soon'), -1, 2 ** 52, false],
  ['not by an empty header', recordOf(1000, ''), -1, 2 ** 52, false],
  ['not by a header without a value', recordOf(1000, null), -1, 2 ** 52, false],
])('a record expires %s', (_when, record, recordTtlMs, now, expected) => {
  expect(isExpired(record, recordTtlMs, now)).toBe(expected)
})
