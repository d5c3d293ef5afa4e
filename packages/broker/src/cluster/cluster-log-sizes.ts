import { partitionName } from '../base/topic-partition.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError, ClusterUnsupportedError } from './cluster-errors.ts'

/**
 * What partitions take on the disks of the broker that has most of each, in bytes, by name and
 * number (`orders-0`); null where the brokers do not tell: it takes a right of its own (describe
 * the cluster). What no broker has is not in it.
 */
export async function logSizes(
  cluster: Cluster,
  asked: ReadonlyArray<{ readonly name: string; readonly partitions: readonly number[] }>,
): Promise<ReadonlyMap<string, number> | null> {
  const { describeLogDirsV4, describeLogDirsV3 } = cluster.client
  const request = asked.map(({ name, partitions }) => ({ name, partitions: [...partitions] }))
  const sizes = new Map<string, number>()
  try {
    const versions = [describeLogDirsV4.api, describeLogDirsV3.api as typeof describeLogDirsV4.api]
    const api = cluster.version('DescribeLogDirs', versions)
    for (const node of cluster.nodes) {
      const { results } = await cluster.retrying('looking for sizes', () => {
        return cluster.on(node, (connection) => api.async(connection, request))
      })
      for (const { name: topic, partitions } of results.flatMap(({ topics }) => topics)) {
        for (const { partitionIndex: partition, partitionSize } of partitions) {
          const name = partitionName({ topic, partition })
          sizes.set(name, Math.max(Number(partitionSize), sizes.get(name) ?? 0))
        }
      }
    }
    return sizes
  } catch (error) {
    const isSilent =
      error instanceof ClusterRefusedError || error instanceof ClusterUnsupportedError
    if (isSilent) return null
    throw error
  }
}
