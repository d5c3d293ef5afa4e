import type { StartingPoint } from '@varve/broker'
import { type Isolation, LogNotFoundError, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { partitionDirectoryName } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { JsonRecordOutput, type RecordOutput, ValueOutput } from '../consume/record-output.ts'
import { parseStartingPoint } from '../consume/starting-point.ts'
import { requireCount } from '../option-checks.ts'

export interface ConsumeOptions {
  readonly topic: string
  /**
   * A data directory, without a group, is only read, without a lock: somebody may be appending to
   * it.
   */
  readonly home: Home
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
  const count = await print({ ...options, from, max: most }, output, io)
  // To follow is to be interrupted some day; anything else has not printed all it was asked for.
  if (!follow && count < most) throwIfInterrupted(io)
  return exitCodes.fine
}

/** What is left to be done, without anything to be checked. */
interface Printing extends Omit<ConsumeOptions, 'from' | 'max'> {
  readonly from: StartingPoint
  readonly max: number
}

/** Resolves with how many it printed. */
async function print(printing: Printing, output: RecordOutput, io: CommandIo): Promise<number> {
  const { home, group, partition } = printing
  if (group !== null) {
    const { consumeInGroup } = await import('../consume/group-consuming.ts')
    return consumeInGroup({ ...printing, group }, output, io)
  }
  if ('data' in home) return consumePartition({ ...printing, ...home }, output, io)
  const { consumeOnServer } = await import('../consume/server-consuming.ts')
  return consumeOnServer({ ...printing, ...home, partition: partition ?? 0 }, output, io)
}

async function consumePartition(
  options: Printing & { readonly data: string },
  output: RecordOutput,
  io: CommandIo,
): Promise<number> {
  const { data, topic, partition, max, follow, isolation } = options
  const directory = `${data}/${partitionDirectoryName(topic, partition ?? 0)}`
  await using log = await openLogReadOnly(directory).catch(async (error: unknown) => {
    throw error instanceof LogNotFoundError ? await missing(data, topic, partition ?? 0) : error
  })
  const from = await startOffset(log, options.from)
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

/** What of it is not there: the directory, the topic, or this partition of it. */
async function missing(data: string, topic: string, partition: number): Promise<Error> {
  // Loaded for nothing else here: a program of that size takes its time.
  const { listTopics, TopicNotFoundError } = await import('@varve/broker')
  try {
    const found = listTopics(data).find(({ name }) => name === topic)
    if (found === undefined) return new TopicNotFoundError(topic)
    return new TopicNotFoundError(topic, partition, found.partitions)
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

async function startOffset(log: ReadOnlyLog, from: StartingPoint): Promise<number> {
  if (from === 'earliest') return log.logStartOffset
  if (from === 'latest') return log.highWatermark
  if (typeof from === 'number') return from
  // Nothing so late yet: what comes next is.
  return (await log.offsetForTimestamp(from.timestamp))?.offset ?? log.highWatermark
}
