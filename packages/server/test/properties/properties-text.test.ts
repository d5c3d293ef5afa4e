import { expect, test } from 'vitest'
import { parseAssignment, parseProperties } from '../../src/properties/properties-text.ts'

const parsed = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text))

test('names end at the first separator, comments and blanks are nothing', () => {
  expect(parsed('# a comment\n! another\n\n a = 1 \nb:2\nc 3\r\nd=x=y\ne\n')).toEqual({
    ...{ a: '1', b: '2', c: '3', d: 'x=y', e: '' },
  })
})

test('a backslash continues a line, and two are one', () => {
  expect(parsed('a=1,\\\n   2,\\\n# 3\nb=x\\\\\nc=4')).toEqual({ a: '1,2,# 3', b: 'x\\', c: '4' })
  expect(parsed('a=1\\')).toEqual({ a: '1' })
})

test('escapes are what they stand for', () => {
  expect(parsed('a\\=b=\\u00e4\\t\\:')).toEqual({ 'a=b': 'ä\t:' })
})

test('what is given twice counts as it stands last', () => {
  expect(parsed('a=1\na=2')).toEqual({ a: '2' })
})

test('an assignment has a name', () => {
  expect(parseAssignment('num.partitions = 3=4')).toEqual({ name: 'num.partitions', value: '3=4' })
  expect(parseAssignment('=3')).toBeNull()
  expect(parseAssignment('x')).toBeNull()
})
