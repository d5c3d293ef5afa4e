import { expect, test } from 'vitest'
import { layoutOf } from '../../src/protocol/message-layout.ts'
import { includesVersion, parseVersionRange } from '../../src/protocol/version-range.ts'

const fields = {
  id: 'int32',
  name: 'string?2+ 1+',
  old: 'int8 0-1 = -1',
  once: 'bool 3 = true',
  list: 'int64[]?',
  parts: { each: { a: 'int16', b: 'uuid 2+ = 0' }, in: '1+' },
  part: { struct: { c: 'int8' }, nullable: '2+' },
  extra: 'string? 2+ tag 1',
  other: 'int32 2+ tag 0 = 7',
}

test('a layout has the fields of its version, in the order of the declaration, tags by number', () => {
  const namesIn = (version: number, isFlexible: boolean) => {
    const layout = layoutOf(fields, version, isFlexible)
    return [layout.fields, layout.tagged].map((list) => list.map(({ name }) => name).join(' '))
  }
  expect(namesIn(0, false)).toEqual(['id old list part', ''])
  expect(namesIn(1, false)).toEqual(['id name old list parts part', ''])
  expect(namesIn(2, true)).toEqual(['id name list parts part', 'other extra'])
  expect(namesIn(3, true)).toEqual(['id name once list parts part', 'other extra'])
})

test('every version has a default for every field', () => {
  expect(layoutOf(fields, 0, false).defaults).toEqual({
    id: 0,
    name: null,
    old: -1,
    once: true,
    list: null,
    parts: [],
    part: null,
    extra: null,
    other: 7,
  })
})

test('what may be null is told for each version', () => {
  const isNullable = (version: number, name: string): boolean | undefined => {
    const layout = layoutOf(fields, version, version >= 2)
    return layout.fields.find((field) => field.name === name)?.isNullable
  }
  expect([1, 2].map((version) => isNullable(version, 'name'))).toEqual([false, true])
  expect([0, 2].map((version) => isNullable(version, 'list'))).toEqual([true, true])
  expect([1, 2].map((version) => isNullable(version, 'part'))).toEqual([false, true])
})

test('the least size of a message counts its fields, compact where it is flexible', () => {
  // id, old, list, part
  expect(layoutOf(fields, 0, false).minBytes).toBe(4 + 1 + 4 + 1)
  // id, name, list, parts, part or null, tagged fields
  expect(layoutOf(fields, 2, true).minBytes).toBe(4 + 1 + 1 + 1 + 1 + 1)
})

test('declarations with mistakes are noticed', () => {
  const lay = (declaration: string) => () => layoutOf({ field: declaration }, 0, false)
  expect(lay('int33')).toThrow('a field has a known type')
  expect(lay('int32 = x')).toThrow()
  expect(lay('int32 = true')).toThrow('a default has the type of its field')
  expect(lay('int32 0+ tag 0')).toThrow('only flexible versions have tagged fields')
  expect(lay('int32 3..4')).toThrow('a field has a known type')
})

test('ranges of versions are one, from one to another, or from one on', () => {
  expect(parseVersionRange('3')).toEqual({ first: 3, last: 3 })
  expect(parseVersionRange('3-12')).toEqual({ first: 3, last: 12 })
  const open = parseVersionRange('3+')
  expect([2, 3, 99].map((version) => includesVersion(open, version))).toEqual([false, true, true])
  for (const text of ['', 'x', '3-', '-3', '3 ']) {
    expect(() => parseVersionRange(text), text).toThrow('a range of versions is written as')
  }
})
