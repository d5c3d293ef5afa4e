import { type Isolation, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { partitionDirectoryName } from '@varve/log/files'
import { InvalidArgumentError } from '@varve/record'
import { type CommandIo, exitCodes, throwIfInterrupted } from '../command-io.ts'
import { JsonRecordOutput, ValueOutput } from '../consume/record-output.ts'
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
  const parsedFrom = parseFrom(options.from)
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

type From =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timestamp: number }

/** A date, and where there is a time of day, optionally its zone; without one it is local time. */
const isoPattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/

function parseFrom(text: string): From {
  if (text === 'earliest') return { kind: 'earliest' }
  if (text === 'latest') return { kind: 'latest' }
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) {
    return { kind: 'offset', offset: Number(text) }
  }
  const timestamp = isoPattern.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(timestamp) && isDay(text.slice(0, 10))) return { kind: 'time', timestamp }
  throw new InvalidArgumentError(
    '--from',
    text,
    'must be earliest, latest, an offset, or a time such as 2026-11-21T08:30Z',
  )
}

/** Whether a month has that day: 30 February would be taken for 2 March. */
function isDay(day: string): boolean {
  return new Date(day).toISOString().startsWith(day)
}

async function startOffset(log: ReadOnlyLog, from: From): Promise<number> {
  switch (from.kind) {
    case 'earliest':
      return log.logStartOffset
    case 'latest':
      return log.highWatermark
    case 'offset':
      return from.offset
    case 'time':
      // Nothing so late yet: what comes next is.
      return (await log.offsetForTimestamp(from.timestamp))?.offset ?? log.highWatermark
  }
}
