import { expect, test } from 'vitest'
import { MessageReader } from '../../src/protocol/message-reader.ts'
import { MessageWriter, UnsendableValue } from '../../src/protocol/message-writer.ts'
import { readPieces } from '../read-pieces.ts'

function written(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter()
  write(writer)
  const bytes = readPieces(writer.finish())
  expect(bytes.length).toBe(writer.sizeBytes)
  return bytes
}

test('what stands behind its own size is read again, whatever size that is', () => {
  for (const size of [0, 1, 127, 128, 300, 16_383, 16_384, 20_000, 2_097_151, 2_097_152]) {
    const content = Buffer.alloc(size)
    for (let at = 0; at < size; at++) content[at] = at * 7
    const bytes = written((writer) => {
      writer.int8(1)
      writer.sized(() => {
        for (let at = 0; at < size; at += 1000) {
          for (const byte of content.subarray(at, at + 1000)) writer.int8((byte << 24) >> 24)
        }
      })
      writer.int8(2)
    })
    const reader = new MessageReader(bytes, 1, 0)
    expect(reader.unsignedVarint()).toBe(size)
    expect(reader.view(size).equals(content)).toBe(true)
    expect(reader.int8()).toBe(2)
    reader.expectEnd()
  }
})

test('unsigned varints are as short as they can be', () => {
  const hex = (value: number) => written((writer) => writer.unsignedVarint(value)).toString('hex')
  expect([0, 127, 128, 16_384, 2 ** 31 - 1].map(hex)).toEqual([
    '00',
    '7f',
    '8001',
    '808001',
    'ffffffff07',
  ])
})

test('pieces of records stand where they were written', () => {
  const large = Buffer.alloc(5000, 9)
  const writer = new MessageWriter()
  writer.int8(1)
  writer.records([large, Buffer.from('x')], false)
  writer.records(large, false)
  writer.int8(2)
  const pieces = writer.finish()
  expect(pieces.map((piece) => piece.length)).toEqual([5, 5000, 1, 4, 5000, 1])
  expect(pieces[1]).toBe(large)
  writer.reset()
  writer.int8(3)
  expect(writer.finish()).toEqual([Buffer.from([3])])
})

test('what was finished does not change when the next message is written', () => {
  const writer = new MessageWriter()
  writer.string('first', false)
  const first = readPieces(writer.finish())
  writer.reset()
  writer.string('other', false)
  expect(first.toString('latin1')).toBe('\0\x05first')
})

test('memory for a large message is not kept for small ones', () => {
  const writer = new MessageWriter()
  for (let count = 0; count < 100; count++) writer.string('x'.repeat(32_000), false)
  writer.reset()
  expect(writer.bytes.length).toBeLessThan(100_000)
})

test.each<readonly [string, (writer: MessageWriter) => void]>([
  ['an int8 of 128', (writer) => writer.int8(128)],
  ['an int16 of -32769', (writer) => writer.int16(-32_769)],
  ['a uint16 of -1', (writer) => writer.uint16(-1)],
  ['an int32 of 2^31', (writer) => writer.int32(2 ** 31)],
  ['an int64 of 2^53', (writer) => writer.int64(2 ** 53)],
  ['a uuid that is too short', (writer) => writer.uuid('AAAA')],
  ['a uuid of other characters', (writer) => writer.uuid('+'.repeat(22))],
  ['a bool of 1', (writer) => writer.bool(1 as never)],
  ['bytes of a string', (writer) => writer.blob('x' as never, true)],
  ['records of a string', (writer) => writer.records('x' as never, true)],
])('%s is refused', (_what, write) => {
  expect(() => written(write)).toThrow(UnsendableValue)
})
