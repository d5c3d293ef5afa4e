import { type RecordBatch, RecordBatchBuilder } from '@varve/record'
import { describe, expect, test } from 'vitest'
import type { Log } from '../src/log.ts'
import { LogDirectory } from '../src/log-directory.ts'
import { SimulatedFileSystem } from '../src/testing/index.ts'

/** Large enough to be written from where it is, not copied. */
const largeBytes = 100_000

function largeBatch(fill: string): RecordBatch {
  return new RecordBatchBuilder({ defaultTimestamp: 1 })
    .append({ value: fill.repeat(largeBytes) })
    .append({ value: 'end' })
    .build()
}

async function withLog(use: (log: Log) => Promise<void>): Promise<void> {
  await using directory = await LogDirectory.open('/data', { fs: new SimulatedFileSystem() })
  await use(await directory.createLog('t', 0))
}

async function contents(log: Log): Promise<string[]> {
  const found: string[] = []
  for await (const { offset, value } of log.reader({ from: 0 }).records()) {
    found.push(`${offset} ${value?.toString('latin1', 0, 3)}`)
  }
  return found
}

describe('the memory of a large batch', () => {
  test('may be in the queue twice: each append has its own offsets', async () => {
    await withLog(async (log) => {
      const batch = largeBatch('a')
      const results = await Promise.all([1, 2, 3].map(() => log.appendBatch(batch)))
      expect(results.map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 4])
      expect(await contents(log)).toEqual(['0 aaa', '1 end', '2 aaa', '3 end', '4 aaa', '5 end'])
    })
  })

  test('is the caller’s again once an append is acknowledged, even when that is at once', async () => {
    await withLog(async (log) => {
      const batch = largeBatch('a')
      await log.appendBatch(batch, { acks: 'none' })
      batch.bytes.fill(0)
      await log.appendBatch(largeBatch('b'))
      expect(await contents(log)).toEqual(['0 aaa', '1 end', '2 bbb', '3 end'])
    })
  })
})
