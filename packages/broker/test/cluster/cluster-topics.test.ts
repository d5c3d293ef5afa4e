import { beforeEach, expect, test } from 'vitest'
import { TopicNotFoundError } from '../../src/base/broker-errors.ts'
import { defaultTopicSettings } from '../../src/base/topic-settings.ts'
import { ClusterRefusedError } from '../../src/cluster/cluster-errors.ts'
import { type ClusterTopic, ClusterTopics } from '../../src/cluster/cluster-topics.ts'
import { listOffset } from '../../src/cluster/partition-offsets.ts'
import { errorOf } from '../broker-fixture.ts'
import { fakeCluster, refused } from './fake-cluster.ts'

let found: { errorCode: number; partitions: number; topicId: string; leader: number }
const settings: { max: string | Error } = { max: '77' }

beforeEach(() => {
  found = { errorCode: 0, partitions: 2, topicId: 'id-1', leader: 1 }
  settings.max = '77'
})

function open(): ClusterTopics {
  return new ClusterTopics(
    fakeCluster({
      metadata: () => ({
        topics: [
          {
            ...{ name: 't', errorCode: found.errorCode, topicId: found.topicId },
            partitions: Array.from({ length: found.partitions }, (_, partitionIndex) => ({
              ...{ errorCode: 0, partitionIndex, leaderId: found.leader },
            })),
          },
        ],
      }),
      describeConfigsV4: () => {
        if (settings.max instanceof Error) throw settings.max
        return { results: [{ configs: [{ name: 'max.message.bytes', value: settings.max }] }] }
      },
    }),
  )
}

test('a topic is looked up once, and is known at once from then on', async () => {
  const topics = open()
  const [one, other] = await Promise.all([topics.topic('t'), topics.topic('t')])
  expect(one).toBe(other)
  expect(topics.topic('t')).toBe(one)
  expect(one.settings.maxMessageBytes).toBe(77)
  expect(one.partitions.map(({ leader }) => leader)).toEqual([1, 1])
  expect(() => one.partition(2)).toThrow(TopicNotFoundError)
  await errorOf(Promise.resolve(topics.topic('other')), TopicNotFoundError)
  topics.close()
})

test('who may not see the settings of a topic goes by the defaults', async () => {
  settings.max = refused(29)
  const topics = open()
  expect((await topics.topic('t')).settings).toEqual(defaultTopicSettings)
  topics.close()
})

test('partitions that are added, leaders that move, topics that are made anew', async () => {
  const topics = open()
  const told: string[] = []
  topics.watch((topic: ClusterTopic, event) => told.push(`${topic.topicId} ${event}`))
  const topic = await topics.topic('t')
  found.leader = 2
  await topics.refresh()
  expect([topic.partition(0).leader, told]).toEqual([2, []])
  found.partitions = 3
  await topics.refresh()
  expect([topic.partitions.length, told]).toEqual([3, ['id-1 grown']])
  found.topicId = 'id-2'
  await topics.refresh()
  expect([topic.isDeleted, told.at(-1)]).toEqual([true, 'id-1 deleted'])
  expect(() => topic.partition(0)).toThrow(TopicNotFoundError)
  expect((await topics.topic('t')).topicId).toBe('id-2')
  found.errorCode = 3
  await topics.refresh()
  expect(told.at(-1)).toBe('id-2 deleted')
  topics.close()
})

test('the offset of a time is asked of the leader, who may refuse', async () => {
  const answer = (errorCode: number) =>
    fakeCluster({
      listOffsetsV9: () => ({ topics: [{ partitions: [{ errorCode, offset: 7n }] }] }),
    })
  const place = { topic: 't', partition: 0 }
  expect(await listOffset(answer(0), 1, place, 5, 'committed')).toEqual({ offset: 7 })
  await errorOf(listOffset(answer(29), 1, place, 5, 'committed'), ClusterRefusedError)
})
