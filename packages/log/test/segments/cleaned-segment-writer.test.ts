import { type Batch, RecordBatch, RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import { CleanedSegmentWriter } from '../../src/segments/cleaned-segment-writer.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'

function batchOf(baseOffset: number, valueBytes: number): Batch {
  const value = Buffer.alloc(valueBytes, `${baseOffset}.`)
  return new RecordBatchBuilder({ baseOffset }).append({ key: 'k', value }).build()
}

function contentOf(fs: SimulatedFileSystem, path: string): Buffer {
  const file = fs.open(path, 'read')
  const bytes = Buffer.alloc(file.sizeBytes())
  file.readSync(bytes, 0)
  file.close()
  return bytes
}

test('batches smaller and larger than what is written at once come one after the other', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/t-0')
  const writer = new CleanedSegmentWriter('/t-0', 0, { fs })
  const sizes = [10, 200_000, 100_000, 3_000_000, 10, 262_144, 262_000, 50, 0, 400_000]
  const batches = sizes.map((size, index) => batchOf(index, size))
  for (const batch of batches) {
    // The caller uses its memory again at once.
    const memory = Buffer.from(batch.bytes)
    await writer.append(new RecordBatch(memory))
    memory.fill(0)
  }
  const { info } = await writer.finish(sizes.length)
  const bytes = Buffer.concat(batches.map((batch) => batch.bytes))
  expect(info.sizeBytes).toBe(bytes.length)
  expect(contentOf(fs, '/t-0/00000000000000000000.log.cleaned').equals(bytes)).toBe(true)
})

test('what was given up leaves no log file', async () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/t-0')
  const writer = new CleanedSegmentWriter('/t-0', 0, { fs })
  for (let offset = 0; offset < 3; offset++) await writer.append(batchOf(offset, 200_000))
  await writer.abandon()
  expect(fs.list('/t-0')).toEqual([])
})
