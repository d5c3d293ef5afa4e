import { expect, test } from 'vitest'
import { lookAtClusterTopics } from '../../src/cluster/cluster-partition-looks.ts'
import { away, fakeCluster } from './fake-cluster.ts'

type Asked = ReadonlyArray<{
  readonly name: string
  readonly partitions: ReadonlyArray<{
    readonly partitionIndex: number
    readonly timestamp: bigint
  }>
}>

const partition = (partitionIndex: number, leaderId = 1) => ({ partitionIndex, leaderId })

function topicOf(name: string, partitions: readonly ReturnType<typeof partition>[]) {
  return { name, isInternal: name.startsWith('__'), partitions }
}

/** Ends are ten times the partition's number, starts are 1. */
function told(asked: Asked, refused: readonly number[] = []) {
  const topics = asked.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, timestamp }) => ({
      partitionIndex,
      errorCode: refused.includes(partitionIndex) ? 29 : 0,
      offset: timestamp === -2n ? 1n : BigInt(partitionIndex * 10),
    })),
  }))
  return { topics }
}

const nothingOfSizes = { results: [] }

test('what a partition is refused for, or lacks, stands with it, and the others are told', async () => {
  const topics = [
    topicOf('t', [partition(2), partition(1), partition(3), partition(4, -1)]),
    topicOf('__own', [partition(5)]),
  ]
  const cluster = fakeCluster({
    metadata: () => ({ topics }),
    listOffsetsV9: (_id: never, _level: never, asked: Asked) => told(asked, [3]),
    describeLogDirsV4: () => nothingOfSizes,
    protocolErrorsCodesById: () => undefined,
  })
  const looks = await lookAtClusterTopics(cluster)
  const [own, t] = looks
  const sound = { logStartOffset: 1, sizeBytes: 0, error: null }
  expect(own).toEqual({
    ...{ name: '__own', isInternal: true },
    partitions: [{ partition: 5, highWatermark: 50, ...sound }],
  })
  const none = { logStartOffset: 0, highWatermark: 0, sizeBytes: 0 }
  expect(t?.partitions).toEqual([
    { partition: 1, highWatermark: 10, ...sound },
    { partition: 2, highWatermark: 20, ...sound },
    { partition: 3, ...none, error: expect.stringContaining('t-3: ') },
    { partition: 4, ...none, error: 't-4: it has no leader' },
  ])
})

test('a thousand partitions are asked for at once; a broker that is away costs only its own', async () => {
  const counts: number[] = []
  const partitions = Array.from({ length: 2500 }, (_, index) => partition(index))
  let calls = 0
  const cluster = fakeCluster({
    metadata: () => ({ topics: [topicOf('t', partitions)] }),
    listOffsetsV9: (_id: never, _level: never, asked: Asked) => {
      calls += 1
      counts.push(asked[0]?.partitions.length ?? 0)
      if (calls === 1) throw away()
      return told(asked)
    },
    describeLogDirsV4: () => nothingOfSizes,
    protocolErrorsCodesById: () => undefined,
  })
  const [topic] = await lookAtClusterTopics(cluster)
  expect(counts.sort()).toEqual([1000, 1000, 1000, 1000, 500, 500].sort())
  const failed = topic?.partitions.filter(({ error }) => error !== null) ?? []
  expect([failed.length, failed[0]?.error]).toEqual([1000, 't-0: gone'])
})
