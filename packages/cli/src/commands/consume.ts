import type { StartingPoint } from '@varve/broker'
import { type Isolation, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { partitionDirectoryName } from '@varve/log/files'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { JsonRecordOutput, ValueOutput } from '../consume/record-output.ts'
import { parseStartingPoint } from '../consume/starting-point.ts'
import { requireCount } from '../option-checks.ts'

export interface ConsumeOptions {
  readonly topic: string
  /** The data directory. It is only read, without a lock: somebody may be appending to it. */
  readonly data: string
  readonly partition: number
  /** `earliest`, `latest`, an offset, or a time in ISO 8601. */
  readonly from: string
  /** Null: all there are. */
  readonly max: number | null
  /** At the end of the log wait for more, until interrupted. */
  readonly follow: boolean
  readonly format: 'value' | 'json'
  readonly isolation: Isolation
}

/**
 * Prints records of a partition. `value`: the bytes of each value and a newline, an empty line for
 * a null value. `json`: an object a line.
 */
export async function consume(options: ConsumeOptions, io: CommandIo): Promise<number> {
  const { topic, partition, max, follow, isolation } = options
  requireCount('max', max, 1)
  const parsedFrom = parseStartingPoint('--from', options.from)
  const directory = `${options.data}/${partitionDirectoryName(topic, partition)}`
  await using log = await openLogReadOnly(directory)
  const from = await startOffset(log, parsedFrom)
  const output =
    options.format === 'json' ? new JsonRecordOutput(io.stdout) : new ValueOutput(io.stdout)
  await using reader = log.reader({ from, follow, isolation, signal: io.signal })
  let left = max ?? Number.POSITIVE_INFINITY
  while (left > 0) {
    const batches = await reader.nextBatches()
    if (batches === null) break
    for (const batch of batches) {
      if (batch.isControl) continue
      for (const record of batch.records()) {
        if (record.offset < from) continue
        if (left === 0) break
        left -= 1
        output.add(record)
        if (output.isFull) await output.flush()
      }
    }
    // A follower's next batches may be long in coming.
    await output.flush()
  }
  // To follow is to be interrupted some day; anything else has not printed all it was asked for.
  if (!follow && left > 0) throwIfInterrupted(io)
  return exitCodes.fine
}

async function startOffset(log: ReadOnlyLog, from: StartingPoint): Promise<number> {
  if (from === 'earliest') return log.logStartOffset
  if (from === 'latest') return log.highWatermark
  if (typeof from === 'number') return from
  // Nothing so late yet: what comes next is.
  return (await log.offsetForTimestamp(from.timestamp))?.offset ?? log.highWatermark
}
