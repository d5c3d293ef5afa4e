import { describe, expect, test } from 'vitest'
import {
  CorruptBatchError,
  compress,
  DecompressionLimitError,
  decompress,
} from '../../src/index.ts'
import { sampleText } from './sample-bytes.ts'

/** "hello" as one raw block: its size, then a literal of five bytes. */
const rawHello = Buffer.from([5, 0x10, ...Buffer.from('hello')])
const header = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex')

describe('snappy', () => {
  test('is written in xerial framing with chunks of 32 KiB', () => {
    const bytes = compress('snappy', sampleText(70_000))
    expect(bytes.subarray(0, 16).equals(header)).toBe(true)
    const sizes: number[] = []
    for (let at = 16; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
      // A raw block begins with its uncompressed size as a varint.
      sizes.push(uncompressedSize(bytes.subarray(at + 4)))
    }
    expect(sizes).toEqual([32_768, 32_768, 70_000 - 65_536])
  })

  test('as one raw block, as old C clients wrote it, is read', () => {
    expect(decompress('snappy', rawHello).toString()).toBe('hello')
  })

  test('of several streams one behind the other is one stream', () => {
    const stream = Buffer.concat([header, chunk(rawHello)])
    const three = Buffer.concat([stream, stream, stream])
    expect(decompress('snappy', three).toString()).toBe('hellohellohello')
  })

  test('ends, as in snappy-java, where fewer than four bytes are left', () => {
    const stream = Buffer.concat([header, chunk(rawHello), Buffer.from([1, 2, 3])])
    expect(decompress('snappy', stream).toString()).toBe('hello')
  })

  test('with a chunk of negative or too great a size is refused', () => {
    for (const size of [-1, -(2 ** 31), rawHello.length + 1, 2 ** 31 - 1]) {
      const bytes = Buffer.concat([header, chunk(rawHello)])
      bytes.writeInt32BE(size, header.length)
      expect(() => decompress('snappy', bytes)).toThrow(CorruptBatchError)
    }
  })

  test('with an appended header that is cut off is refused', () => {
    const stream = Buffer.concat([header, chunk(rawHello), header.subarray(0, 10)])
    expect(() => decompress('snappy', stream)).toThrow(CorruptBatchError)
  })

  test('of an unknown version is refused', () => {
    const stream = Buffer.concat([header, chunk(rawHello)])
    stream.writeInt32BE(0, 8)
    expect(() => decompress('snappy', stream)).toThrow(/version 0/)
  })

  test('claiming a size its block cannot have is refused before any memory is taken', () => {
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x10, 1, 2])
    expect(() => decompress('snappy', huge)).toThrow(/impossible size/)
    expect(() => decompress('snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 1]))).toThrow(
      /impossible size/,
    )
  })

  test('of runs, the densest there is, passes the check of its size', () => {
    const runs = Buffer.alloc(32_768, 'a')
    expect(decompress('snappy', compress('snappy', runs)).equals(runs)).toBe(true)
  })

  test('checks the sum of its chunks against the limit', () => {
    const stream = Buffer.concat([header, chunk(rawHello), chunk(rawHello)])
    expect(decompress('snappy', stream, { maxBytes: 10 }).toString()).toBe('hellohello')
    expect(() => decompress('snappy', stream, { maxBytes: 9 })).toThrow(DecompressionLimitError)
  })
})

function chunk(block: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(block.length)
  return Buffer.concat([size, block])
}

function uncompressedSize(block: Buffer): number {
  let size = 0
  for (let index = 0; ; index++) {
    const byte = block.readUInt8(index)
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return size
  }
}
