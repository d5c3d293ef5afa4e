import { expect, test } from 'vitest'
import { bytesSerde, jsonSerde, stringSerde } from '../../src/base/serializers.ts'

function bytesOf(serialized: Uint8Array | string | null): Buffer {
  if (serialized === null) throw new Error('it is null')
  return Buffer.from(serialized)
}

test('bytes and strings come back as they went in', () => {
  const bytes = Buffer.from([0, 255, 1])
  expect(bytesSerde.deserialize(bytesOf(bytesSerde.serialize(bytes, 't')), 't')).toEqual(bytes)
  const text = 'grün 🪨'
  expect(stringSerde.deserialize(bytesOf(stringSerde.serialize(text, 't')), 't')).toBe(text)
})

test.each([[{ a: [1, 'ü', null], b: { c: false } }], ['text'], [0], [false], [[]]])(
  'JSON comes back as it went in: %j',
  (data) => {
    expect(jsonSerde.deserialize(bytesOf(jsonSerde.serialize(data, 't')), 't')).toEqual(data)
  },
)

test('JSON makes null values of null and undefined, and refuses what it has no form for', () => {
  expect(jsonSerde.serialize(null, 't')).toBeNull()
  expect(jsonSerde.serialize(undefined, 't')).toBeNull()
  expect(() => jsonSerde.serialize(() => 5, 't')).toThrow(TypeError)
})
