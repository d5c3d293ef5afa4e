import {
  listTopics,
  openDataDirectory,
  type StartingPoint,
  TopicNotFoundError,
  type Varve,
} from '@varve/broker'
import { type Clock, type Isolation, LogLockedError } from '@varve/log'
import type { Home } from '../cluster/home.ts'
import type { CommandIo } from '../command-io.ts'
import { printConsumed } from './consumed-printing.ts'
import type { RecordOutput } from './record-output.ts'

export interface GroupConsuming {
  readonly home: Home
  readonly topic: string
  readonly group: string
  /** Where nothing has been committed. */
  readonly from: StartingPoint
  readonly follow: boolean
  readonly isolation: Isolation
  /** Infinity: all there are. */
  readonly max: number
}

/**
 * Prints the records of a topic's partitions as a member of a group, and commits what was printed:
 * every few seconds, at the end, and when the user asks for the end. Resolves with how many there
 * were. Needs a data directory for itself; on a server it is one member among others.
 *
 * Rejects with TopicNotFoundError, LogLockedError, and as consuming does.
 */
export async function consumeInGroup(
  options: GroupConsuming,
  output: RecordOutput,
  io: CommandIo,
): Promise<number> {
  const { home, topic, group, max } = options
  await using varve = await openTopic(home, topic, io.clock)
  const { from, follow, isolation } = options
  const reading = { group, topics: [topic], from, follow, isolation, signal: io.signal }
  return await printConsumed((more) => varve.consumer({ ...reading, ...more }), {
    ...{ output, max, io, commits: true, tellsPartition: true },
  })
}

/** A topic that is not there would be waited for. */
async function openTopic(home: Home, topic: string, clock: Clock): Promise<Varve> {
  if ('data' in home) {
    const isThere = listTopics(home.data).some(({ name }) => name === topic)
    if (!isThere) throw new TopicNotFoundError(topic)
    return openAlone(home.data, clock)
  }
  const { openCluster, partsOf } = await import('../cluster/open-cluster.ts')
  const varve = await openCluster(home.place)
  try {
    await partsOf(varve).topics.topic(topic)
    return varve
  } catch (error) {
    await varve.close()
    throw error
  }
}

async function openAlone(data: string, clock: Clock): Promise<Varve> {
  try {
    return await openDataDirectory(data, { cleaning: false, clock })
  } catch (error) {
    if (!(error instanceof LogLockedError)) throw error
    const hint =
      'where a server has it open, be a member by the network: --bootstrap-server HOST:PORT; ' +
      'another program has to close it first; or read here without --group, which commits nothing'
    throw new LogLockedError(error.path, error.holder, hint)
  }
}
