import { InvalidArgumentError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { CorruptGroupRecordError } from '../../src/groups/group-errors.ts'
import { SchemaReader } from '../../src/groups/schema-reader.ts'
import { SchemaWriter } from '../../src/groups/schema-writer.ts'

describe.each([
  ['plain', Infinity],
  ['flexible', 0],
])('a %s schema', (_name, firstFlexible) => {
  const versions = { subject: 'thing', latest: 1, firstFlexible }

  test('holds every kind of field at its limits, and grows as needed', () => {
    const texts = ['', 'é🚀', '\ufeffx', 'x'.repeat(0x7fff)]
    const writer = new SchemaWriter(1, firstFlexible)
    writer.array(texts, (text) => writer.string(text))
    writer.string(null).bytes(null).bytes(Buffer.alloc(70_000, 'abc'))
    for (const value of [-1, 0, 2 ** 31 - 1]) writer.int32(value)
    for (const value of [-1, 2 ** 53 - 1, -(2 ** 53) + 1]) writer.int64(value)
    const reader = new SchemaReader(writer.tags().finish(), versions)
    expect(reader.array(() => reader.string())).toEqual(texts)
    expect([reader.nullableString(), reader.nullableBytes()]).toEqual([null, null])
    expect(reader.bytes()).toEqual(Buffer.alloc(70_000, 'abc'))
    expect([reader.int32(), reader.int32(), reader.int32()]).toEqual([-1, 0, 2 ** 31 - 1])
    const longs = [reader.int64(), reader.int64(), reader.int64()]
    expect(longs).toEqual([-1, 2 ** 53 - 1, -(2 ** 53) + 1])
    reader.tags()
    expect(reader.remaining).toBe(0)
  })

  test('refuses a string that Kafka could not read', () => {
    const writer = new SchemaWriter(1, firstFlexible)
    expect(() => writer.string('x'.repeat(0x8000))).toThrow(InvalidArgumentError)
  })

  test('null where nothing may be null is corrupt', () => {
    const bytes = new SchemaWriter(1, firstFlexible).string(null).bytes(null).finish()
    expect(() => new SchemaReader(bytes, versions).string()).toThrow(CorruptGroupRecordError)
    const reader = new SchemaReader(bytes, versions)
    reader.nullableString()
    expect(() => reader.bytes()).toThrow('bytes are null')
  })
})

test('tagged fields that are not known are skipped', () => {
  const versions = { subject: 'thing', latest: 1, firstFlexible: 0 }
  const bytes = Buffer.from([0, 1, 2, 0, 3, 9, 9, 9, 5, 0, 0, 0, 0, 7])
  const reader = new SchemaReader(bytes, versions)
  reader.tags()
  expect(reader.int32()).toBe(7)
})

test.each<readonly [string, readonly number[], (reader: SchemaReader) => unknown]>([
  ['text that is not UTF-8', [0, 1, 0, 2, 0xc3, 0x28], (reader) => reader.string()],
  ['an int64 beyond 2^53', [0, 1, 0x7f, 0, 0, 0, 0, 0, 0, 0], (reader) => reader.int64()],
  ['a length below -1', [0, 1, 0xff, 0xfe], (reader) => reader.string()],
  ['a field that passes the end', [0, 1, 0, 0], (reader) => reader.int32()],
])('%s is corrupt', (_name, bytes, read) => {
  const versions = { subject: 'thing', latest: 1, firstFlexible: Infinity }
  const reader = new SchemaReader(Buffer.from(bytes), versions)
  expect(() => read(reader)).toThrow(CorruptGroupRecordError)
})

test('a varint without end is corrupt', () => {
  const versions = { subject: 'thing', latest: 1, firstFlexible: 0 }
  const reader = new SchemaReader(Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), versions)
  expect(() => reader.bytes()).toThrow('more than 5 bytes')
})
