import { expect, test } from 'vitest'
import { produceRunOf } from '../../src/verbs/bench-arguments.ts'

const given = {
  ...{ json: false, data: '.', seed: 1, report: undefined, 'record-size': '100', payload: 'json' },
  ...{ 'payload-file': undefined, 'payload-delimiter': '\\n', keys: 'none', 'key-range': 10 },
  ...{ topic: undefined, existing: false, keep: false, partitions: 1, records: undefined },
  ...{ warmup: 0, interval: 5, acks: 'flushed', compression: 'none', linger: 0 },
  ...{ 'batch-size': '64KiB', 'in-flight': 1, producers: 1, duration: undefined, rate: -1 },
  ...{ rates: undefined, pacing: 'precise', hlog: undefined, hgrm: undefined },
}

test.each([
  ['0', 'none'],
  ['1', 'written'],
  ['all', 'flushed'],
  ['-1', 'flushed'],
  ['written', 'written'],
])('acks %s mean %s', (acks, level) => {
  expect(produceRunOf({ ...given, acks }).acks).toBe(level)
})

test('rates are one, or those of a list', () => {
  expect(produceRunOf({ ...given, rate: 7 }).rates).toEqual([7])
  expect(produceRunOf({ ...given, rates: '10, 20,-1' }).rates).toEqual([10, 20, -1])
  expect(() => produceRunOf({ ...given, rates: '10,,20' })).toThrow(/--rates/)
})
