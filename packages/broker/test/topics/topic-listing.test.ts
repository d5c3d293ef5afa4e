import { LogDirectory, LogNotFoundError } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { listTopics } from '../../src/topics/topic-listing.ts'
import { Topics } from '../../src/topics/topics.ts'

test('topics are listed beside the program that has them open, with what they were given', async () => {
  const fs = new SimulatedFileSystem()
  const topics = await Topics.open('/data', { fs })
  const orders = await topics.create('orders', 3, { retentionMs: 1000 })
  await topics.create('bills', 1, {})
  await topics.internal('__consumer_offsets', 2)
  expect(listTopics('/data', { fs })).toMatchObject([
    { name: '__consumer_offsets', isInternal: true, partitions: 2 },
    { name: 'bills', isInternal: false, partitions: 1, settings: {} },
    { name: 'orders', partitions: 3, topicId: orders.topicId, settings: { retentionMs: 1000 } },
  ])
  await topics.delete('bills')
  const listed = () => listTopics('/data', { fs }).map(({ name }) => name)
  // Though its files are there, under another name.
  expect(fs.list('/data').filter((name) => name.startsWith('bills-0.'))).toHaveLength(1)
  expect(listed()).toEqual(['__consumer_offsets', 'orders'])
  await topics.close()
  expect(listed()).toEqual(['__consumer_offsets', 'orders'])
})

test('directories that no catalogue knows are topics too', async () => {
  const fs = new SimulatedFileSystem()
  const directory = await LogDirectory.open('/data', { fs })
  await directory.createLog('a-b', 2)
  await directory.close()
  expect(listTopics('/data', { fs })).toEqual([
    { name: 'a-b', topicId: null, isInternal: false, partitions: 3, settings: {} },
  ])
})

test('there is nothing to list where there is no directory', () => {
  const fs = new SimulatedFileSystem()
  expect(() => listTopics('/data', { fs })).toThrow(LogNotFoundError)
})
