import { expect, test } from 'vitest'
import { wrongNumber } from '../src/number-check.ts'

test.each([
  [{ max: 5 }, ['--max', '5'], null],
  [{ max: -5 }, ['--max=-5'], null],
  [{ max: 16 }, ['--max', '0x10'], null],
  [{ max: 0 }, [], null],
  [{ max: 3, json: true, topic: 'max' }, ['--json', '--topic', 'max', '--max', '3'], null],
  [{ max: Number.NaN }, ['--max', 'many'], "--max is 'many': must be a number."],
  [{ max: 0 }, ['--max', ' '], "--max is ' ': must be a number."],
  [{ max: Number.POSITIVE_INFINITY }, ['--max=1e999'], "--max is '1e999': must be a number."],
  [{ max: 2 }, ['--max', 'x', '--max', '2'], null],
])('%j of %j', (parsed, argv, message) => {
  expect(wrongNumber(parsed, argv)).toBe(message)
})
