import { rmSync } from 'node:fs'
import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { PartitionLooks } from '../../src/stats/partition-looks.ts'

test('each look at a partition shows what is there by then', async () => {
  using temporary = makeTemporaryDirectory()
  const directory = await LogDirectory.open(temporary.path)
  await using looks = new PartitionLooks(temporary.path)
  expect((await looks.look('orders', 0)).error).toContain('orders-0')
  const log = await directory.createLog('orders', 0)
  await log.append({ value: 'a' })
  const [segment] = log.segments()
  const sizeBytes = segment?.sizeBytes ?? 0
  const place = { topic: 'orders', partition: 0, logStartOffset: 0, error: null }
  expect(await looks.look('orders', 0)).toEqual({ ...place, highWatermark: 1, sizeBytes })
  await log.append({ value: 'a' })
  expect(await looks.look('orders', 0)).toMatchObject({ ...place, highWatermark: 2 })
  await directory.close()
  rmSync(`${temporary.path}/orders-0`, { recursive: true })
  expect((await looks.look('orders', 0)).error).not.toBe(null)
})
