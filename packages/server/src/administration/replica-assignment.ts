import { RequestRefusedError } from '../base/server-errors.ts'
import type { ResolvedServerOptions } from '../base/server-options.ts'

/** As many partitions may be made by one request: Kafka's limit. */
const partitionsPerRequestMax = 10_000

/** Throws RequestRefusedError where a request asks for more partitions than one may. */
export function checkPartitionsAsked(counts: Iterable<number>): void {
  let sum = 0
  for (const count of counts) sum += Math.max(count, 0)
  if (sum <= partitionsPerRequestMax) return
  const rule = `more than ${partitionsPerRequestMax} partitions are asked for by one request`
  throw new RequestRefusedError('POLICY_VIOLATION', rule)
}

/** Throws RequestRefusedError unless a partition's replicas are the one broker that there is. */
export function checkReplicas(replicas: readonly number[], nodeId: number): void {
  const refuse = (rule: string): never => {
    throw new RequestRefusedError('INVALID_REPLICA_ASSIGNMENT', `the assignment ${rule}`)
  }
  if (replicas.length === 0) refuse('includes an empty replica list')
  const other = replicas.find((broker) => broker !== nodeId)
  if (other !== undefined) refuse(`includes broker ${other}, but no such broker is registered`)
  if (replicas.length > 1) refuse(`includes broker ${nodeId} more than once`)
}

/** Throws RequestRefusedError for a number of copies that cannot be, or is not to be. */
export function checkReplicationFactor(
  factor: number,
  { replicationFactor }: Pick<ResolvedServerOptions, 'replicationFactor'>,
): void {
  if (factor === -1 || factor === 1) return
  if (factor < 1) {
    const rule = 'replication factor must be larger than 0, or -1 to use the default value'
    throw new RequestRefusedError('INVALID_REPLICATION_FACTOR', rule)
  }
  if (replicationFactor === 'accept') return
  const rule = `the replication factor ${factor} cannot be reached: there is one broker`
  throw new RequestRefusedError('INVALID_REPLICATION_FACTOR', rule)
}

/** How many partitions a new topic gets. Throws RequestRefusedError. */
export function partitionsOf(
  topic: {
    readonly numPartitions: number
    readonly replicationFactor: number
    readonly assignments: readonly {
      readonly partitionIndex: number
      readonly brokerIds: readonly number[]
    }[]
  },
  options: Pick<ResolvedServerOptions, 'nodeId' | 'numPartitions' | 'replicationFactor'>,
): number {
  const { numPartitions, replicationFactor, assignments } = topic
  if (assignments.length === 0) {
    checkReplicationFactor(replicationFactor, options)
    if (numPartitions === -1) return options.numPartitions
    if (numPartitions >= 1) return numPartitions
    const rule = 'number of partitions was set to an invalid non-positive value'
    throw new RequestRefusedError('INVALID_PARTITIONS', rule)
  }
  if (replicationFactor !== -1 || numPartitions !== -1) {
    const rule = 'with an assignment, numPartitions and replicationFactor have to be -1'
    throw new RequestRefusedError('INVALID_REQUEST', rule)
  }
  const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
  for (const { brokerIds } of assignments) checkReplicas(brokerIds, options.nodeId)
  const isWhole = assignments.every((_, index) => indexes.has(index))
  if (isWhole && indexes.size === assignments.length) return assignments.length
  const rule = 'partitions of an assignment are numbered from 0 without gaps, each once'
  throw new RequestRefusedError('INVALID_REPLICA_ASSIGNMENT', rule)
}

/** Throws RequestRefusedError unless a resource's name is the id of the one broker. */
export function checkBroker(resourceName: string, nodeId: number): void {
  if (resourceName === String(nodeId)) return
  const rule = `unexpected broker id, expected ${nodeId} or an empty name`
  throw new RequestRefusedError('INVALID_REQUEST', rule)
}
