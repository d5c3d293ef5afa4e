import { BatchEncoder, crc32c, RecordBatchBuilder, readBatches } from '@varve/record'
import type { Benchmark } from '../harness/benchmark.ts'
import { type MicroTask, measureTasks } from '../harness/micro.ts'
import { payloadOf } from '../harness/payload.ts'

export const batches: Benchmark = {
  name: 'batches',
  summary: 'encoding and decoding batches of 64 KiB, not compressed, per record',
  async run(context) {
    const tasks = [100, 1024, 10_240].flatMap((recordBytes) => tasksOf(recordBytes))
    return await measureTasks(context, tasks, { payload: payloadOf(100, 600).description })
  },
}

function tasksOf(recordBytes: number): MicroTask[] {
  const count = Math.floor((64 * 1024) / (recordBytes + 12))
  const { records } = payloadOf(recordBytes, count)
  const texts = records.map(({ key, value }) => ({
    key: key.toString('latin1'),
    value: value.toString('latin1'),
  }))
  const encoder = new BatchEncoder()
  const target = Buffer.alloc(128 * 1024)
  const batch = new RecordBatchBuilder({ defaultTimestamp: 1_790_000_000_000 })
  for (const record of records) batch.append(record)
  const { bytes } = batch.build()
  const encode = (list: readonly object[]) => (): number => {
    encoder.clear()
    encoder.begin()
    for (const record of list) encoder.append(record, 1_790_000_000_000)
    encoder.finish()
    return encoder.bytes().readUInt32BE(17)
  }
  const operations = count
  const of = `${recordBytes} B`
  const copying = `copy and CRC-32C, ${of}`
  const checking = `CRC-32C, ${of}`
  return [
    { name: `encode bytes, ${of}`, run: encode(records), operations, limit: copying },
    { name: `encode strings, ${of}`, run: encode(texts), operations, limit: copying },
    { name: copying, run: () => copyAll(records, target), operations },
    { name: `decode, key and value, ${of}`, run: () => decode(bytes), operations, limit: checking },
    { name: checking, run: () => crc32c(bytes), operations },
  ]
}

function copyAll(records: readonly { readonly bytes: Buffer }[], target: Buffer): number {
  let at = 0
  for (const { bytes } of records) {
    target.set(bytes, at)
    at += bytes.length
  }
  return crc32c(target.subarray(0, at))
}

function decode(bytes: Buffer): number {
  let sum = 0
  for (const batch of readBatches(bytes)) {
    batch.validate()
    for (const { key, value, timestamp } of batch.records()) {
      if (key !== null && value !== null) sum += key.length + value.length + (timestamp & 1)
    }
  }
  return sum
}
