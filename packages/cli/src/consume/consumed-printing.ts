import type { CommittedOffset, Consumer } from '@varve/broker'
import type { CommandIo } from '../command-io.ts'
import { GroupPrinting } from './group-printing.ts'
import type { RecordOutput } from './record-output.ts'

export interface ConsumedPrinting {
  readonly output: RecordOutput
  readonly io: CommandIo
  /** Infinity: all there are. */
  readonly max: number
  /** Whether what was printed is committed. */
  readonly commits: boolean
  /** Whether records say which partition they are of. */
  readonly tellsPartition: boolean
}

/**
 * Prints what a consumer hands out until it ends, `max` were printed, or the user asks for the end.
 * Resolves with how many there were. Closes the consumer.
 *
 * @param open makes the consumer, with options that belong to the printing
 */
export async function printConsumed(
  open: (more: { readonly onRevoked: () => Promise<void> }) => Consumer,
  { output, io, max, commits, tellsPartition }: ConsumedPrinting,
): Promise<number> {
  const failures: unknown[] = []
  const consumer = open({
    // Also when it is closed, in whatever way.
    onRevoked: () => printing.settle().catch((error: unknown) => void failures.push(error)),
  })
  const commit = (offsets: readonly CommittedOffset[]): Promise<void> => consumer.commit(offsets)
  const printing = new GroupPrinting({
    ...{ output, tellsPartition, clock: io.clock },
    commit: commits ? commit : async () => undefined,
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
  // Of a group it was printed when its partitions had to go.
  if (!commits) await printing.flush()
  return count
}
