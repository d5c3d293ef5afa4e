import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { parseStartingPoint } from '../../src/consume/starting-point.ts'

test.each([
  ['earliest', 'earliest'],
  ['latest', 'latest'],
  ['0', 0],
  ['17', 17],
  ['1970-01-01', { timestamp: 0 }],
  ['1970-01-01T00:01Z', { timestamp: 60_000 }],
  ['1970-01-01T01:00:00.5+01:00', { timestamp: 500 }],
])('%s is a place to start', (text, place) => {
  expect(parseStartingPoint('--from', text)).toEqual(place)
})

test.each(['', '-1', '1.5', '99999999999999999999', 'now', '2026-02-30', '2026-13-01'])(
  "'%s' is none, and the option is named",
  (text) => {
    expect(() => parseStartingPoint('--to', text)).toThrow(InvalidArgumentError)
    expect(() => parseStartingPoint('--to', text)).toThrow('--to')
  },
)
