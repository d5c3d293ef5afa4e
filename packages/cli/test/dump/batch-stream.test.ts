import { writeFileSync } from 'node:fs'
import { nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { RecordBatchBuilder } from '@varve/record'
import { afterAll, describe, expect, test } from 'vitest'
import { streamBatches } from '../../src/dump/batch-stream.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

function batchOf(offset: number, valueBytes: number): Buffer {
  const builder = new RecordBatchBuilder({ baseOffset: offset, defaultTimestamp: 1 })
  return builder.append({ value: Buffer.alloc(valueBytes, offset) }).build().bytes
}

/** Base offsets, with the positions at which they were found, and the end. */
async function streamed(bytes: Buffer) {
  const path = `${temporary.path}/file.log`
  writeFileSync(path, bytes)
  const file = nodeFileSystem.open(path, 'read')
  try {
    const stream = streamBatches(file, file.sizeBytes())
    const found: Array<[number, number]> = []
    for (;;) {
      const next = await stream.next()
      if (next.done === true) return { found, end: next.value }
      expect(next.value.isChecksumValid()).toBe(true)
      found.push([next.value.baseOffset, next.value.position])
    }
  } finally {
    file.close()
  }
}

describe('streaming the batches of a file', () => {
  test('finds all of them, small ones in one chunk and ones larger than a chunk', async () => {
    const batches = [10, 400_000, 700_000, 3_000_000, 5].map((size, index) => batchOf(index, size))
    const bytes = Buffer.concat(batches)
    const { found, end } = await streamed(bytes)
    let position = 0
    const expected = batches.map((batch, index) => {
      const at: [number, number] = [index, position]
      position += batch.length
      return at
    })
    expect(found).toEqual(expected)
    expect(end).toEqual({ position: bytes.length, problem: null })
  })

  test('an empty file has none', async () => {
    expect(await streamed(Buffer.alloc(0))).toEqual({
      found: [],
      end: { position: 0, problem: null },
    })
  })

  test('says where and why it ends before the end', async () => {
    const whole = batchOf(0, 10)
    const cut = await streamed(Buffer.concat([whole, whole.subarray(0, 40)]))
    expect(cut.end).toEqual({
      position: whole.length,
      problem: `a batch of ${whole.length} bytes, of which 40 are there`,
    })
    const prefix = await streamed(Buffer.concat([whole, Buffer.from([1, 2, 3])]))
    expect(prefix.end.problem).toContain('of which 3 are there')
    const zeros = await streamed(Buffer.concat([whole, Buffer.alloc(100)]))
    expect(zeros.end).toEqual({ position: whole.length, problem: 'its size field is 0' })
  })

  test('believes no size that the file does not hold', async () => {
    const hostile = batchOf(0, 10)
    hostile.writeInt32BE(2 ** 31 - 1, 8)
    const before = process.memoryUsage().arrayBuffers
    const { found, end } = await streamed(hostile)
    expect(found).toEqual([])
    expect(end.position).toBe(0)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
  })
})
