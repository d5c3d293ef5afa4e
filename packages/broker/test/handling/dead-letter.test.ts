import type { RecordInput } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { deadLetterHeaders, readDeadLetter, toDeadLetter } from '../../src/handling/dead-letter.ts'
import { replayDeadLetters } from '../../src/handling/dead-letter-replay.ts'
import type { RawRecord } from '../../src/handling/handled-record.ts'

const record: RawRecord = {
  topic: 'orders',
  partition: 2,
  offset: 17,
  timestamp: 5000,
  key: Buffer.from('o-17'),
  value: null,
  headers: [
    { key: 'trace', value: Buffer.from('x') },
    { key: 'empty', value: null },
  ],
}
const failure = { attempts: 5, error: new TypeError('no such account'), timestamp: 9000 }

/** As it would be read from the dead-letter topic. */
function stored(input: RecordInput, offset = 0): RawRecord {
  return {
    topic: 'orders.dead-letter',
    partition: 0,
    offset,
    timestamp: input.timestamp ?? -1,
    key: input.key == null ? null : Buffer.from(input.key as Buffer),
    value: input.value == null ? null : Buffer.from(input.value as Buffer),
    headers: (input.headers ?? []).map(({ key, value }) => ({
      key,
      value: value === null ? null : Buffer.from(value as string),
    })),
  }
}

test('a dead letter keeps the record, and says where it was and why it was given up', () => {
  const letter = stored(toDeadLetter(record, failure))
  expect([letter.key, letter.value, letter.timestamp]).toEqual([record.key, null, 9000])
  expect(readDeadLetter(letter)).toEqual({
    topic: 'orders',
    partition: 2,
    offset: 17,
    timestamp: 5000,
    attempts: 5,
    error: 'TypeError: no such account',
    failedAt: 9000,
    headers: record.headers,
  })
})

test('a dead letter that fails again names its latest place only', () => {
  const again = { ...stored(toDeadLetter(record, failure)), topic: 'retry', offset: 3 }
  const letter = stored(toDeadLetter(again, failure))
  expect(readDeadLetter(letter)).toMatchObject({
    topic: 'retry',
    offset: 3,
    headers: record.headers,
  })
  const names = letter.headers.map(({ key }) => key)
  expect(new Set(names).size).toBe(names.length)
})

test('an error of any length or kind fits', () => {
  const long = stored(toDeadLetter(record, { ...failure, error: new Error('x'.repeat(1e6)) }))
  expect(readDeadLetter(long)?.error.length).toBeLessThan(1100)
  expect(readDeadLetter(stored(toDeadLetter(record, { ...failure, error: 42 })))?.error).toBe('42')
})

test.each(Object.values(deadLetterHeaders))(
  'without a true %s a record is no dead letter',
  (name) => {
    const whole = stored(toDeadLetter(record, failure))
    const without = whole.headers.filter(({ key }) => key !== name)
    const isNeeded = name !== deadLetterHeaders.error
    expect(readDeadLetter({ headers: without }) === null).toBe(isNeeded)
    if (name === deadLetterHeaders.topic || !isNeeded) return
    const odd = whole.headers.map((header) =>
      header.key === name ? { key: name, value: Buffer.from('1e3') } : header,
    )
    expect(readDeadLetter({ headers: odd })).toBeNull()
  },
)

describe('replaying', () => {
  async function* letters(...records: RawRecord[]): AsyncGenerator<RawRecord> {
    yield* records
  }

  test('sends records back as they were, in order, and says when each is done', async () => {
    const sent: unknown[] = []
    const done: number[] = []
    const other = stored(toDeadLetter({ ...record, topic: 'bills', timestamp: -1 }, failure), 1)
    const stray = { ...stored({ value: 'x' }), offset: 2 }
    const source = letters(stored(toDeadLetter(record, failure)), other, stray)
    const report = await replayDeadLetters(source, {
      send: async (...call) => sent.push(call),
      done: ({ offset }) => void done.push(offset),
    })
    expect(report).toEqual({ replayed: 2, passedOver: 1 })
    const { key, value, headers } = record
    expect(sent).toEqual([
      ['orders', null, { key, value, headers, timestamp: 5000 }],
      ['bills', null, { key, value, headers }],
    ])
    expect(done).toEqual([0, 1, 2])
  })

  test('can choose letters and keep partitions', async () => {
    const sent: unknown[] = []
    const source = letters(
      stored(toDeadLetter(record, failure)),
      stored(toDeadLetter({ ...record, offset: 99 }, failure)),
    )
    const report = await replayDeadLetters(source, {
      send: async (topic, partition) => sent.push([topic, partition]),
      select: (letter) => letter.offset === 99,
      toOriginalPartition: true,
    })
    expect([report, sent]).toEqual([{ replayed: 1, passedOver: 1 }, [['orders', 2]]])
  })
})
