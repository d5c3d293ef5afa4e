import { expiresAtHeader } from '@varve/cleaner'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { jsonSerde } from '../../src/base/serializers.ts'
import { RecordSerializer } from '../../src/producing/record-serializer.ts'
import {
  lastSourceOffset,
  sourceOffsetHeader,
  withSourceOffset,
} from '../../src/producing/source-offsets.ts'
import { newMachine, openTopics } from '../broker-fixture.ts'

test('a source offset is a header beside the others', () => {
  const record = withSourceOffset({ value: 'v', headers: [{ key: 'h', value: 'x' }] }, 17)
  expect(record).toEqual({
    value: 'v',
    headers: [
      { key: 'h', value: 'x' },
      { key: sourceOffsetHeader, value: '17' },
    ],
  })
})

test('the last source offset is looked for in the whole log where it is not remembered', async () => {
  await using topics = await openTopics(newMachine())
  await topics.create('t', 1, {})
  const { log } = topics.topic('t').partition(0)
  const identity = { producerId: -1, producerEpoch: -1 }
  expect(await lastSourceOffset(log, identity)).toBe(-1)
  for (const text of ['5', '9', 'nine', '7']) {
    await log.append({ headers: [{ key: sourceOffsetHeader, value: text }] })
  }
  expect(await lastSourceOffset(log, identity)).toBe(9)
  expect(await lastSourceOffset(log, { ...identity, producerId: 3 })).toBe(-1)
})

const clock = new ManualClock(1000)

test('records without serializers are not touched, with them keys and values are made', () => {
  const plain = new RecordSerializer<string, string>(clock, undefined, undefined)
  const record = { key: 'k', value: 'v' }
  expect(plain.one('t', record)).toBe(record)
  const serializing = new RecordSerializer<unknown, unknown>(clock, undefined, jsonSerde)
  expect(serializing.one('t', { key: 'k', value: { a: 1 }, timestamp: 5 })).toEqual({
    key: 'k',
    value: '{"a":1}',
    timestamp: 5,
  })
  expect(serializing.all('t', [{ value: null }])).toEqual([{ key: null, value: null }])
  expect(() => serializing.one('t', 5 as never)).toThrow('must be an object')
})

test('a time to live is a header that says when it ends', () => {
  const plain = new RecordSerializer<string, string>(clock, undefined, undefined)
  const headersOf = (record: { value: string; ttlMs?: number; timestamp?: number }) =>
    plain.all('t', [record])[0]?.headers
  expect(headersOf({ value: 'v', ttlMs: 5 })).toEqual([{ key: expiresAtHeader, value: '1005' }])
  const own = headersOf({ value: 'v', ttlMs: 5, timestamp: 70 })
  expect(own).toEqual([{ key: expiresAtHeader, value: '75' }])
  expect(headersOf({ value: 'v' })).toBeUndefined()
  expect(() => plain.one('t', { value: 'v', ttlMs: 0 })).toThrow('must be a positive integer')
})
