import { RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import { validBatchesFollow } from '../../src/recovery/log-cut.ts'
import { BytesFile } from '../fuzz/bytes-file.ts'

const batch = new RecordBatchBuilder({ baseOffset: 40, defaultTimestamp: 1 })
  .append({ key: 'k', value: 'value' })
  .build().bytes

function follows(bytes: Buffer, expectedOffset = 30): Promise<boolean> {
  return validBatchesFollow(new BytesFile(bytes), 0, bytes.length, expectedOffset)
}

test('a valid batch is found behind damage, wherever it begins, whatever follows it', async () => {
  for (const gap of [1, 60, 1024 * 1024 - 30]) {
    const damage = Buffer.alloc(gap, 0x55)
    expect(await follows(Buffer.concat([damage, batch]))).toBe(true)
    expect(await follows(Buffer.concat([damage, batch, damage]))).toBe(true)
  }
})

test('a torn batch, an older one and one that is damaged itself are not taken for valid ones', async () => {
  const damage = Buffer.alloc(100, 0x55)
  expect(await follows(Buffer.concat([damage, batch.subarray(0, -1)]))).toBe(false)
  expect(await follows(Buffer.concat([damage, batch]), 41)).toBe(false)
  const flipped = Buffer.from(batch)
  flipped[flipped.length - 1] = flipped.readUInt8(flipped.length - 1) ^ 1
  expect(await follows(Buffer.concat([damage, flipped]))).toBe(false)
})

test('bytes that look like the beginnings of batches do not keep the search for ever', async () => {
  // Each byte could be a magic 2 with a size beyond the file behind it.
  expect(await follows(Buffer.alloc(8 * 1024 * 1024, 2))).toBe(false)
  // Every 61 bytes a header that is in order, of a batch that reaches nearly to the end.
  const header = Buffer.from(batch.subarray(0, 61))
  header.writeInt32BE(1024 * 1024, 8)
  const headers = Buffer.alloc(2 * 1024 * 1024, header)
  const begun = performance.now()
  expect(await follows(headers)).toBe(true)
  expect(performance.now() - begun).toBeLessThan(10_000)
})
