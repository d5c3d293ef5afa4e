import { describe, expect, test } from 'vitest'
import {
  CorruptBatchError,
  compress,
  DecompressionLimitError,
  decompress,
} from '../../src/index.ts'
import { sampleText } from './sample-bytes.ts'

/** A frame as Java streams it: no content size, a window of 2 MiB, one raw block. */
function streamedFrame(content: string, windowDescriptor = 0x58): Buffer {
  const bytes = Buffer.from(content)
  const block = Buffer.alloc(3)
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3)
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowDescriptor]),
    block,
    bytes,
  ])
}

/** A frame that says of itself that it holds 2^62 bytes. */
const boastingFrame = Buffer.from(
  '28b52ffde0' + '0000000000000040' + '290000' + '68656c6c6f',
  'hex',
)

const skippableFrame = Buffer.from('502a4d18' + '03000000' + '010203', 'hex')

describe('zstd', () => {
  test('without a content size is read', () => {
    expect(decompress('zstd', streamedFrame('hello')).toString()).toBe('hello')
  })

  test('ending with an empty block, as Java writes it, is read', () => {
    const frame = streamedFrame('hello')
    frame.writeUIntLE(5 << 3, 6, 3)
    const ended = Buffer.concat([frame, Buffer.from('010000', 'hex')])
    expect(decompress('zstd', ended).toString()).toBe('hello')
  })

  test('of several frames, skippable ones among them, is one stream', () => {
    const frames = [
      streamedFrame('a'),
      skippableFrame,
      compress('zstd', Buffer.from('b')),
      streamedFrame('c'),
    ]
    expect(decompress('zstd', Buffer.concat(frames)).toString()).toBe('abc')
    expect(decompress('zstd', skippableFrame).length).toBe(0)
  })

  test('checks the sum of its frames against the limit', () => {
    const frames = Buffer.concat([streamedFrame('hello'), streamedFrame('world')])
    expect(decompress('zstd', frames, { maxBytes: 10 }).toString()).toBe('helloworld')
    expect(() => decompress('zstd', frames, { maxBytes: 9 })).toThrow(DecompressionLimitError)
  })

  test('with noise behind a frame is refused, as Kafka does', () => {
    const noise = Buffer.concat([streamedFrame('hello'), Buffer.from('not a frame at all')])
    expect(() => decompress('zstd', noise)).toThrow(CorruptBatchError)
  })

  test('with the largest window that Kafka reads is read, with a larger one refused', () => {
    const before = process.memoryUsage().rss
    for (let round = 0; round < 20; round++) {
      expect(decompress('zstd', streamedFrame('hello', 17 << 3)).toString()).toBe('hello')
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024)
    expect(() => decompress('zstd', streamedFrame('hello', 18 << 3))).toThrow(CorruptBatchError)
  })

  test('is put into memory that is given, as far as that goes', () => {
    const content = sampleText(300_000)
    for (const room of [0, 1000, 299_999, 300_000, 400_000]) {
      const into = Buffer.alloc(room)
      const options = { maxBytes: content.length, into }
      for (const bytes of [content, content.subarray(0, 500)]) {
        const output = decompress('zstd', compress('zstd', bytes), options)
        expect(output.equals(bytes)).toBe(true)
        expect(output.buffer === into.buffer).toBe(room >= bytes.length)
      }
    }
    const tooMuch = { maxBytes: content.length - 1, into: Buffer.alloc(content.length) }
    const refused = () => decompress('zstd', compress('zstd', content), tooMuch)
    expect(refused).toThrow(DecompressionLimitError)
  })

  test('that boasts of its content size is not believed', () => {
    expect(() => decompress('zstd', boastingFrame)).toThrow(CorruptBatchError)
  })

  test('is read after a damaged frame was refused', () => {
    const frame = compress('zstd', sampleText(50_000))
    for (let round = 0; round < 3; round++) {
      expect(() => decompress('zstd', frame.subarray(0, frame.length - 100))).toThrow(
        CorruptBatchError,
      )
      expect(decompress('zstd', frame).length).toBe(50_000)
    }
  })
})
