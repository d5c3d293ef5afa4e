import { openDataDirectory } from '@varve/broker'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { TopicCounters } from '../../src/http/topic-counters.ts'

test('what is appended to the partitions of a topic is counted together, until it is closed', async () => {
  const fs = new SimulatedFileSystem()
  await using varve = await openDataDirectory('/data', { fs, cleaning: false })
  await varve.createTopic('a-b-1', { partitions: 2 })
  const counters = new TopicCounters()
  await varve.log('a-b-1', 0).append([{ value: 'x' }, { value: 'y' }])
  await varve.log('a-b-1', 1).append({ value: 'z' })
  expect(counters.topics.get('a-b-1')).toEqual({ records: 3, bytes: expect.any(Number) })
  expect(counters.topics.get('a-b-1')?.bytes).toBeGreaterThan(2 * 61)
  counters.close()
  await varve.log('a-b-1', 1).append({ value: 'z' })
  expect(counters.topics.get('a-b-1')?.records).toBe(3)
})
