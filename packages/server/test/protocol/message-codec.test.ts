import { expect, test } from 'vitest'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { codecOf } from '../../src/protocol/message-codec.ts'
import { structDecoder } from '../../src/protocol/message-decoder.ts'
import { structEncoder } from '../../src/protocol/message-encoder.ts'
import { layoutOf } from '../../src/protocol/message-layout.ts'
import { MessageReader } from '../../src/protocol/message-reader.ts'
import { MessageWriter } from '../../src/protocol/message-writer.ts'
import { readPieces } from '../read-pieces.ts'

const layout = layoutOf(
  {
    cursor: { struct: { at: 'int32' }, nullable: '0+' },
    names: 'string[]?',
    leader: { struct: { id: 'int32 = -1', hosts: 'string[]' }, tag: 3 },
    parts: { each: { id: 'int8', when: 'int64 tag 0 = 5' }, tag: 8 },
  },
  0,
  true,
)

function encoded(message: unknown): string {
  const writer = new MessageWriter()
  structEncoder(layout)(writer, message)
  return readPieces(writer.finish()).toString('hex')
}

function decoded(hex: string): unknown {
  const reader = new MessageReader(Buffer.from(hex, 'hex'), 0, 100)
  const value = structDecoder(layout)(reader)
  reader.expectEnd()
  return value
}

test('codecs are put together once for each version', () => {
  expect(codecOf(heartbeat, 'request', 3)).toBe(codecOf(heartbeat, 'request', 3))
  expect(codecOf(heartbeat, 'request', 3)).not.toBe(codecOf(heartbeat, 'request', 4))
  expect(codecOf(heartbeat, 'response', 3).messageName).toBe('Heartbeat v3 response')
})

test('a structure that may be null has a byte of its own', () => {
  expect(encoded({ cursor: null, names: null })).toBe('ff' + '00' + '00')
  expect(encoded({ cursor: { at: 2 }, names: [] })).toBe('01' + '00000002' + '00' + '01' + '00')
  expect(() => decoded('020000')).toThrow('the presence of a structure is 2')
})

test('tagged fields are sent when they are not their default, and nested ones too', () => {
  const plain = { cursor: null, names: null }
  const leader = { id: -1, hosts: [] }
  expect(encoded({ ...plain, leader, parts: [] })).toBe('ff0000')
  const sent = { ...plain, leader: { id: 4, hosts: [] }, parts: [{ id: 1, when: 6 }, { id: 2 }] }
  const hex =
    'ff00' + '02' + '0306' + '000000040100' + '080f' + '03' + '0101' + '0008' + '0000000000000006'
  expect(encoded(sent)).toBe(`${hex}0200`)
  expect(decoded(`${hex}0200`)).toEqual({
    ...plain,
    leader: { id: 4, hosts: [] },
    parts: [
      { id: 1, when: 6 },
      { id: 2, when: 5 },
    ],
  })
})

test('damage names the way to it', () => {
  const path = (hex: string): string => {
    try {
      decoded(hex)
      return ''
    } catch (error) {
      return (error as { path: readonly string[] }).path.join(' ')
    }
  }
  expect(path('01000000')).toBe('cursor at')
  expect(path('ff03' + '0261' + '05')).toBe('names [1]')
  expect(path('ff00' + '01' + '0803' + '02' + '01')).toBe('parts')
  expect(path('ff00' + '01' + '0804' + '02' + '01' + '01' + '00')).toBe('parts [0]')
})
