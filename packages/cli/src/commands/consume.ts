import type { StartingPoint } from '@varve/broker'
import { type Isolation, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { partitionDirectoryName } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { consumeInGroup } from '../consume/group-consuming.ts'
import { JsonRecordOutput, type RecordOutput, ValueOutput } from '../consume/record-output.ts'
import { parseStartingPoint } from '../consume/starting-point.ts'
import { requireCount } from '../option-checks.ts'

export interface ConsumeOptions {
  readonly topic: string
  /**
   * The data directory. Without a group it is only read, without a lock: somebody may be appending
   * to it.
   */
  readonly data: string
  /** Null: 0, or with a group all of them. */
  readonly partition: number | null
  /** Read all partitions as a member of this group, and commit what was printed. */
  readonly group: string | null
  /**
   * `earliest`, `latest`, an offset, or a time in ISO 8601; of a group, where nothing is committed.
   */
  readonly from: string
  /** Null: all there are. */
  readonly max: number | null
  /** At the end of the log wait for more, until interrupted. */
  readonly follow: boolean
  readonly format: 'value' | 'json'
  readonly isolation: Isolation
}

/**
 * Prints records of a partition, or those that a group has yet to read. `value`: the bytes of each
 * value and a newline, an empty line for a null value. `json`: an object a line.
 */
export async function consume(options: ConsumeOptions, io: CommandIo): Promise<number> {
  const { group, partition, max, follow } = options
  requireCount('max', max, 1)
  if (group !== null && partition !== null) {
    throw new InvalidArgumentError('--partition', partition, 'a group reads all of them')
  }
  const from = parseStartingPoint('--from', options.from)
  const output =
    options.format === 'json' ? new JsonRecordOutput(io.stdout) : new ValueOutput(io.stdout)
  const most = max ?? Number.POSITIVE_INFINITY
  const count =
    group === null
      ? await consumePartition(options, { from, max: most }, output, io)
      : await consumeInGroup({ ...options, group, from, max: most }, output, io)
  // To follow is to be interrupted some day; anything else has not printed all it was asked for.
  if (!follow && count < most) throwIfInterrupted(io)
  return exitCodes.fine
}

/** Resolves with how many it printed. */
async function consumePartition(
  { data, topic, partition, follow, isolation }: ConsumeOptions,
  { from: place, max }: { readonly from: StartingPoint; readonly max: number },
  output: RecordOutput,
  io: CommandIo,
): Promise<number> {
  const directory = `${data}/${partitionDirectoryName(topic, partition ?? 0)}`
  await using log = await openLogReadOnly(directory)
  const from = await startOffset(log, place)
  await using reader = log.reader({ from, follow, isolation, signal: io.signal })
  let count = 0
  while (count < max) {
    const batches = await reader.nextBatches()
    if (batches === null) break
    for (const batch of batches) {
      if (batch.isControl) continue
      for (const record of batch.records()) {
        if (record.offset < from) continue
        if (count === max) break
        count += 1
        output.add(record)
        if (output.isFull) await output.flush()
      }
    }
    // A follower's next batches may be long in coming.
    await output.flush()
  }
  return count
}

async function startOffset(log: ReadOnlyLog, from: StartingPoint): Promise<number> {
  if (from === 'earliest') return log.logStartOffset
  if (from === 'latest') return log.highWatermark
  if (typeof from === 'number') return from
  // Nothing so late yet: what comes next is.
  return (await log.offsetForTimestamp(from.timestamp))?.offset ?? log.highWatermark
}
