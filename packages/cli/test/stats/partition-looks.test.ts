import { rmSync } from 'node:fs'
import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { lookingOnce, PartitionLooks } from '../../src/stats/partition-looks.ts'

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

test('more partitions than logs may stay open are looked at all the same', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path)
  await using looks = new PartitionLooks(temporary.path, { openLogsMax: 1 })
  for (const partition of [0, 1, 2]) await directory.createLog('orders', partition)
  for (let round = 1; round <= 2; round++) {
    for (const log of directory.logs.values()) await log.append({ value: 'a' })
    for (const partition of [0, 1, 2]) {
      expect(await looks.look('orders', partition)).toMatchObject({ highWatermark: round })
    }
  }
})

test('looking once shows everybody the same', async () => {
  using temporary = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(temporary.path)
  await using looks = new PartitionLooks(temporary.path)
  const log = await directory.createLog('orders', 0)
  const once = lookingOnce(looks)
  expect(await once.look('orders', 0)).toMatchObject({ highWatermark: 0 })
  await log.append({ value: 'a' })
  expect(await once.look('orders', 0)).toMatchObject({ highWatermark: 0 })
  expect(await looks.look('orders', 0)).toMatchObject({ highWatermark: 1 })
})
