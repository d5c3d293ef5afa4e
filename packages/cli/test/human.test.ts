import { describe, expect, test } from 'vitest'
import {
  formatAmount,
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  formatTimestamp,
} from '../src/human.ts'

describe('numbers for people', () => {
  test('bytes come in the unit that keeps them short', () => {
    expect(formatBytes(0)).toBe('0 B')
    expect(formatBytes(1023)).toBe('1023 B')
    expect(formatBytes(1024)).toBe('1.0 KiB')
    expect(formatBytes(1024 * 1024 - 1)).toBe('1.0 MiB')
    expect(formatBytes(5.5 * 2 ** 40)).toBe('5.5 TiB')
  })

  test('counts have separators, and amounts the right plural', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567')
    expect(formatAmount(1, 'record')).toBe('1 record')
    expect(formatAmount(2000, 'batch')).toBe('2,000 batches')
  })

  test('durations go from fractions of a millisecond to hours', () => {
    expect(formatDuration(0.25)).toBe('0.3 ms')
    expect(formatDuration(840.4)).toBe('840 ms')
    expect(formatDuration(3240)).toBe('3.2 s')
    expect(formatDuration(125_000)).toBe('2 min 5 s')
    expect(formatDuration(3_840_000)).toBe('1 h 4 min')
  })

  test('rates are per second, and absent where no time passed', () => {
    expect(formatRate(500, 'record', 250)).toBe('2,000 records/s')
    expect(formatByteRate(2 ** 20, 500)).toBe('2.0 MiB/s')
    expect(formatRate(500, 'record', 0)).toBe('')
  })

  test('timestamps are ISO 8601, a dash where there is none, a number beyond the calendar', () => {
    expect(formatTimestamp(1_700_000_000_005)).toBe('2023-11-14T22:13:20.005Z')
    expect(formatTimestamp(-1)).toBe('-')
    expect(formatTimestamp(null)).toBe('-')
    expect(formatTimestamp(9_007_199_254_740_991)).toBe('9007199254740991')
  })
})
