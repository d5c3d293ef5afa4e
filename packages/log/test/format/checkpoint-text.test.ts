import { describe, expect, test } from 'vitest'
import {
  CorruptCheckpointError,
  checkpointNumber,
  decodeCheckpoint,
  encodeCheckpoint,
} from '../../src/format/checkpoint-text.ts'

const decode = (text: string, columns = 2) => decodeCheckpoint(Buffer.from(text), '/c', columns)

test('entries are written a line each, after the version and their number', () => {
  expect(encodeCheckpoint(['a 1', 'b 2']).toString()).toBe('0\n2\na 1\nb 2\n')
  expect(encodeCheckpoint([]).toString()).toBe('0\n0\n')
})

test('lines are split at blanks and numbered as editors do', () => {
  expect(decode('0\n2\na 1\nb \t 2\n')).toEqual([
    { number: 3, columns: ['a', '1'] },
    { number: 4, columns: ['b', '2'] },
  ])
})

test('an empty file has no entries', () => {
  expect(decode('')).toEqual([])
})

test('lines may end as Windows ends them', () => {
  expect(decode('0\r\n1\r\na 1\r\n')).toEqual([{ number: 3, columns: ['a', '1'] }])
})

describe('refused with the number of the line', () => {
  test.each([
    ['another version', '1\n0\n', 1],
    ['no version', '\n0\n', 1],
    ['no number of entries', '0\n', 2],
    ['a negative number of entries', '0\n-1\n', 2],
    ['fewer lines than announced', '0\n2\na 1\n', 2],
    ['more lines than announced', '0\n1\na 1\nb 2\n', 2],
    ['more entries than memory', '0\n9007199254740991\na 1\n', 2],
    ['a missing column', '0\n2\na 1\nb\n', 4],
    ['a leading blank', '0\n1\n a 1\n', 3],
    ['a blank line', '0\n2\na 1\n\n', 4],
    ['a last line cut short', '0\n1\na 1', 3],
  ])('is %s', (_, text, line) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ path: '/c', line }))
    expect(() => decode(text)).toThrow(CorruptCheckpointError)
  })

  test('without repeating a long line whole', () => {
    const text = `0\n1\n${'x'.repeat(100_000)}\n`
    expect(() => decode(text)).toThrow(/^.{1,200}$/)
  })
})

describe('numbers', () => {
  const read = (text: string, max?: number) =>
    checkpointNumber({ number: 7, columns: [text] }, 0, '/c', max)

  test('are plain decimals up to a limit', () => {
    expect(read('0')).toBe(0)
    expect(read('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    expect(read('15', 15)).toBe(15)
  })

  test.each(['', '-1', '+1', '01', '1.5', '1e3', '0x10', ' 1', '9007199254740992', '١'])(
    '%j is none',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ line: 7 }))
    },
  )

  test('beyond their limit, or in a column that is not there, are refused', () => {
    expect(() => read('16', 15)).toThrow(CorruptCheckpointError)
    expect(() => checkpointNumber({ number: 7, columns: [] }, 0, '/c')).toThrow(
      CorruptCheckpointError,
    )
  })
})
