import { OffsetOutOfRangeError } from '@varve/log'
import { RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import { ClosedError, TopicNotFoundError } from '../../src/base/broker-errors.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { ClusterFetcher } from '../../src/cluster/cluster-fetcher.ts'
import { ClusterLog } from '../../src/cluster/cluster-log.ts'
import type { ClusterPartition, ClusterTopics } from '../../src/cluster/cluster-topics.ts'
import type { FetchAnswer, FetchedPartition } from '../../src/cluster/fetch-answer.ts'
import { kafkaCodes } from '../../src/cluster/kafka-codes.ts'
import type { BatchReaderOptions } from '../../src/consuming/readable-partition.ts'
import { errorOf } from '../broker-fixture.ts'
import { fakeCluster } from './fake-cluster.ts'

function partition(index: number, isDeleted = false): ClusterPartition {
  return {
    ...{ topic: 't', topicId: 'id', partition: index, leader: 1, isDeleted },
  } as unknown as ClusterPartition
}

function fetched(index: number, facts: Partial<FetchedPartition> = {}): FetchedPartition {
  return {
    ...{ topicId: 'id', partition: index, errorCode: 0, highWatermark: 5, lastStableOffset: 4 },
    ...{ logStartOffset: 0, aborted: [], bytes: null },
    ...facts,
  }
}

/** A cluster that gives these answers, one after the other, and then none. */
function answering(...answers: FetchAnswer[]): { cluster: Cluster; requests: () => number } {
  let requests = 0
  const cluster = {
    ...fakeCluster({
      listOffsetsV9: () => ({ topics: [{ partitions: [{ errorCode: 0, offset: 3n }] }] }),
    }),
    on: (node: number, ask: never, pool?: unknown) => {
      if (pool === undefined) return fakeOn(node, ask)
      requests++
      const answer = answers.shift()
      return answer === undefined ? new Promise(() => undefined) : Promise.resolve(answer)
    },
  } as unknown as Cluster
  const fakeOn = fakeCluster({
    listOffsetsV9: () => ({ topics: [{ partitions: [{ errorCode: 0, offset: 3n }] }] }),
  }).on
  return { cluster, requests: () => requests }
}

const reading: BatchReaderOptions = {
  ...{ from: 0, isolation: 'uncommitted', follow: false, maxBytes: 1000 },
  signal: new AbortController().signal,
}

function bytesOf(...values: readonly string[]): Buffer {
  const builder = new RecordBatchBuilder({ defaultTimestamp: 5 })
  for (const value of values) builder.append({ value })
  return Buffer.from(builder.build().bytes)
}

test('what is wanted at once of one broker goes into one request', async () => {
  const answer = { errorCode: 0, partitions: [fetched(1), fetched(0, { bytes: bytesOf('a') })] }
  const { cluster, requests } = answering(answer)
  const fetcher = new ClusterFetcher(cluster, 'uncommitted')
  const wants = [0, 1].map((index) => {
    const { maxBytes, signal } = reading
    return fetcher.fetch({ partition: partition(index), offset: 0, maxBytes, waits: false, signal })
  })
  const [zero, one] = await Promise.all(wants)
  expect([zero?.partition, one?.partition, requests()]).toEqual([0, 1, 1])
  const { maxBytes, signal } = reading
  const want = { partition: partition(0), offset: 0, maxBytes, waits: true, signal }
  const waiting = fetcher.fetch(want)
  await fetcher.close()
  await errorOf(waiting, ClosedError)
  await errorOf(fetcher.fetch(want), ClosedError)
})

function logOf(cluster: Cluster, isDeleted = false): ClusterLog {
  const fetcher = new ClusterFetcher(cluster, 'uncommitted')
  const topics = { refresh: async () => undefined } as unknown as ClusterTopics
  return new ClusterLog({ cluster, topics, fetcher }, partition(0, isDeleted))
}

test('a log is read to its end, over leaders that move', async () => {
  const { cluster } = answering(
    { errorCode: 0, partitions: [fetched(0, { errorCode: 6 })] },
    { errorCode: 0, partitions: [fetched(0, { bytes: bytesOf('a', 'b'), highWatermark: 2 })] },
    { errorCode: 0, partitions: [fetched(0, { highWatermark: 2 })] },
  )
  const log = logOf(cluster)
  const reader = log.reader(reading)
  const [batch] = (await reader.nextBatches()) ?? []
  expect([batch?.count, log.highWatermark]).toEqual([2, 2])
  expect(await reader.nextBatches()).toBeNull()
})

test('a position outside, and a topic that is gone, are said', async () => {
  const outside = fetched(0, { errorCode: kafkaCodes.offsetOutOfRange })
  const { cluster } = answering({ errorCode: 0, partitions: [outside] })
  const reader = logOf(cluster).reader({ ...reading, from: 50 })
  const error = await errorOf(reader.nextBatches(), OffsetOutOfRangeError)
  expect(error).toMatchObject({ offset: 50, logStartOffset: 3, logEndOffset: 3 })
  await errorOf(logOf(cluster, true).reader(reading).nextBatches(), TopicNotFoundError)
})
