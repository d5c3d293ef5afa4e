import { rmSync } from 'node:fs'
import { GroupListing } from '@varve/broker'
import { expect, test } from 'vitest'
import { progressOf, sumOfLags } from '../../src/group/group-progress.ts'
import { PartitionLooks } from '../../src/stats/partition-looks.ts'
import { makeGroupData } from '../group-fixture.ts'

test('a partition that is gone has no end and no lag, and the others count', async () => {
  const data = await makeGroupData()
  rmSync(`${data}/orders-1`, { recursive: true })
  await using listing = await GroupListing.open(data)
  await using looks = new PartitionLooks(data)
  const progress = await progressOf(listing.group('billing'), looks)
  expect(progress).toEqual([
    { topic: 'orders', partition: 0, committedOffset: 3, endOffset: 10, lag: 7 },
    { topic: 'orders', partition: 1, committedOffset: 5, endOffset: null, lag: null },
  ])
  expect(sumOfLags(progress)).toBe(7)
})
