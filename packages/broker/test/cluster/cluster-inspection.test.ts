import { describe, expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/cluster.ts'
import {
  listClusterTopics,
  lookAtPartition,
  partitionSizes,
} from '../../src/cluster/cluster-inspection.ts'
import { ClusterTopics } from '../../src/cluster/cluster-topics.ts'
import { TopicAdministration } from '../../src/cluster/topic-administration.ts'
import { type Answers, fakeCluster, refused } from './fake-cluster.ts'

const metadata = () => ({
  topics: ['orders', '__consumer_offsets'].map((name) => ({
    ...{ name, errorCode: 0, topicId: '00000000-0000-0000-0000-000000000001' },
    isInternal: name.startsWith('__'),
    partitions: [0, 1].map((partitionIndex) => ({ errorCode: 0, partitionIndex, leaderId: 1 })),
  })),
})

function list(answers: Answers) {
  const cluster = fakeCluster({ metadata, ...answers })
  const administration = new TopicAdministration(cluster, {} as ClusterTopics)
  return listClusterTopics({ cluster, administration })
}

const config = (name: string, value: string, configSource: number) => ({
  ...{ name, value, configSource },
})

describe('topics of a cluster', () => {
  test('are listed with what they were given, and nothing that brokers have by default', async () => {
    const results = [
      {
        ...{ resourceName: 'orders', errorCode: 0 },
        configs: [
          config('retention.ms', '1000', 1),
          config('min.insync.replicas', '2', 1),
          config('segment.bytes', '77', 5),
        ],
      },
      { resourceName: '__consumer_offsets', errorCode: 29, configs: [] },
    ]
    const answer = { results }
    const known = { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: 2 }
    const settings = { retentionMs: 1000, kafkaSettings: { 'min.insync.replicas': '2' } }
    const listed = [
      { name: '__consumer_offsets', isInternal: true, ...known, settings: null },
      { name: 'orders', isInternal: false, ...known, settings },
    ]
    // The client throws where one of several is refused, and says what there is of the others.
    const partly = Object.assign(new Error('refused'), { response: answer })
    for (const result of [answer, partly]) {
      const describeConfigsV4 = () => {
        if (result instanceof Error) throw result
        return result
      }
      expect(await list({ describeConfigsV4 })).toEqual(listed)
    }
  })

  test('are none in an empty cluster, of which nobody asks settings', async () => {
    expect(await list({ metadata: () => ({ topics: [] }) })).toEqual([])
  })
})

describe('the sizes of partitions', () => {
  const sizesOf = (describeLogDirsV4: () => unknown): Promise<unknown> => {
    const cluster = Object.assign(fakeCluster({ describeLogDirsV4 }), { nodes: [1, 2] }) as Cluster
    return partitionSizes(cluster, 'orders', 2)
  }

  test('are those of the replica that has most', async () => {
    let partitionSize = 10n
    const answer = () => {
      partitionSize += 1n
      const partitions = [{ partitionIndex: 1, partitionSize }]
      return { results: [{ topics: [{ name: 'orders', partitions }] }] }
    }
    expect(await sizesOf(answer)).toEqual(new Map([[1, 12]]))
  })

  test('are not known where the brokers do not tell', async () => {
    const refuse = () => {
      throw refused(31)
    }
    expect(await sizesOf(refuse)).toBeNull()
    const fail = () => {
      throw new Error('no')
    }
    await expect(sizesOf(fail)).rejects.toThrow('no')
  })
})

test('a partition is looked at without connecting to anybody for long', async () => {
  const offsets: Record<string, bigint> = { '-2': 3n, '-1': 9n, '5': 7n }
  const cluster = fakeCluster({
    metadata,
    describeConfigsV4: () => ({ results: [] }),
    listOffsetsV9: (...args: unknown[]) => {
      const [, , topics] = args as [number, number, { partitions: { timestamp: bigint }[] }[]]
      const asked = String(topics[0]?.partitions[0]?.timestamp)
      return { topics: [{ partitions: [{ errorCode: 0, offset: offsets[asked] ?? -1n }] }] }
    },
  })
  const topics = new ClusterTopics(cluster)
  const log = await lookAtPartition({ cluster, topics }, { topic: 'orders', partition: 1 })
  expect(log).toMatchObject({ logStartOffset: 3, highWatermark: 9 })
  expect(await log.offsetForTimestamp(5)).toEqual({ offset: 7 })
  expect(await log.offsetForTimestamp(6)).toBeNull()
  topics.close()
})
