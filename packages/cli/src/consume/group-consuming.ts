import {
  type DirectoryVarve,
  listTopics,
  openDataDirectory,
  type StartingPoint,
  TopicNotFoundError,
} from '@varve/broker'
import { type Clock, type Isolation, LogLockedError } from '@varve/log'
import type { CommandIo } from '../command-io.ts'
import { GroupPrinting } from './group-printing.ts'
import type { RecordOutput } from './record-output.ts'

export interface GroupConsuming {
  readonly data: string
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
 * were. Needs the data directory for itself.
 *
 * Rejects with TopicNotFoundError, LogLockedError, and as consuming does.
 */
export async function consumeInGroup(
  options: GroupConsuming,
  output: RecordOutput,
  io: CommandIo,
): Promise<number> {
  const { data, topic, group, max } = options
  if (!listTopics(data).some(({ name }) => name === topic)) throw new TopicNotFoundError(topic)
  await using varve = await openAlone(data, io.clock)
  const failures: unknown[] = []
  const { from, follow, isolation } = options
  const consumer = varve.consumer({
    ...{ group, topics: [topic], from, follow, isolation, signal: io.signal },
    // Also when it is closed, in whatever way.
    onRevoked: () => printing.settle().catch((error: unknown) => void failures.push(error)),
  })
  const printing = new GroupPrinting({
    output,
    clock: io.clock,
    commit: (offsets) => consumer.commit(offsets),
    onFailure: (error) => {
      failures.push(error)
      void consumer.close().catch(() => undefined)
    },
  })
  let count = 0
  try {
    for await (const record of consumer) {
      if (io.signal.aborted) break
      printing.add(record)
      count += 1
      if (count === max) break
      if (printing.isFull) await printing.flush()
    }
  } finally {
    printing.end()
    await consumer.close()
  }
  if (failures.length > 0) throw failures[0]
  return count
}

async function openAlone(data: string, clock: Clock): Promise<DirectoryVarve> {
  try {
    return await openDataDirectory(data, { cleaning: false, clock })
  } catch (error) {
    if (!(error instanceof LogLockedError)) throw error
    const hint =
      'members of a group share the process that has the directory open: consume there, close it ' +
      'there first, or read here without --group, which commits nothing'
    throw new LogLockedError(error.path, error.holder, hint)
  }
}
