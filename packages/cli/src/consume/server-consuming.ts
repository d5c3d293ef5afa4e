import type { StartingPoint } from '@varve/broker'
import type { Isolation } from '@varve/log'
import type { ClusterPlace } from '../cluster/client-properties.ts'
import { openCluster } from '../cluster/open-cluster.ts'
import type { CommandIo } from '../command-io.ts'
import { printConsumed } from './consumed-printing.ts'
import type { RecordOutput } from './record-output.ts'

export interface ServerConsuming {
  readonly place: ClusterPlace
  readonly topic: string
  readonly partition: number
  readonly from: StartingPoint
  readonly follow: boolean
  readonly isolation: Isolation
  /** Infinity: all there are. */
  readonly max: number
}

/**
 * Prints the records of a partition of a server, Varve's or Kafka's. Resolves with how many there
 * were. Rejects with TopicNotFoundError, RecordsDeletedError, and as `openCluster` does.
 */
export async function consumeOnServer(
  { place, topic, partition, max, from, follow, isolation }: ServerConsuming,
  output: RecordOutput,
  io: CommandIo,
): Promise<number> {
  await using varve = await openCluster(place)
  const assignment = [{ topic, partition }]
  const options = { assignment, from, follow, isolation, signal: io.signal }
  return await printConsumed((more) => varve.consumer({ ...options, ...more }), {
    ...{ output, max, io, commits: false, tellsPartition: false },
  })
}
