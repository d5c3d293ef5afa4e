import { expect, test } from 'vitest'
import { logSizes } from '../../src/cluster/cluster-log-sizes.ts'
import { away, fakeCluster, refused } from './fake-cluster.ts'

const asked = [{ name: 't', partitions: [0, 1] }]

test('the largest of what directories have of a partition counts', async () => {
  const directory = (...sizes: readonly bigint[]) => {
    const partitions = sizes.map((partitionSize, partitionIndex) => {
      return { partitionIndex, partitionSize }
    })
    return { topics: [{ name: 't', partitions }] }
  }
  const cluster = fakeCluster({
    describeLogDirsV4: () => ({ results: [directory(5n, 7n), directory(6n)] }),
  })
  expect(await logSizes(cluster, asked)).toEqual(
    new Map([
      ['t-0', 6],
      ['t-1', 7],
    ]),
  )
})

test('brokers that refuse tell nothing; those that are away are an error', async () => {
  const refusing = () => {
    throw refused(31)
  }
  expect(await logSizes(fakeCluster({ describeLogDirsV4: refusing }), asked)).toBeNull()
  const gone = () => {
    throw away()
  }
  await expect(logSizes(fakeCluster({ describeLogDirsV4: gone }), asked)).rejects.toMatchObject({
    code: 'VARVE_CLUSTER_UNAVAILABLE',
  })
})
