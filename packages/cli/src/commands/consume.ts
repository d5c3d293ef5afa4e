import { type Isolation, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { partitionDirectoryName } from '@varve/log/files'
import { InvalidArgumentError, type LogRecord } from '@varve/record'
import { type CommandIo, exitCodes, type Output, throwIfInterrupted } from '../command-io.ts'
import { requireCount } from '../option-checks.ts'
import { utf8Text } from '../utf8.ts'

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
 * Prints records of a partition. `value`: the bytes of each value and a newline, an empty line for a
 * null value. `json`: an object a line.
 */
export async function consume(options: ConsumeOptions, io: CommandIo): Promise<number> {
  const { topic, partition, max, follow, isolation } = options
  requireCount('max', max, 1)
  const parsedFrom = parseFrom(options.from)
  const directory = `${options.data}/${partitionDirectoryName(topic, partition)}`
  await using log = await openLogReadOnly(directory)
  const from = await startOffset(log, parsedFrom)
  const output = new RecordOutput(io.stdout, options.format)
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
  if (!Number.isNaN(timestamp)) return { kind: 'time', timestamp }
  throw new InvalidArgumentError(
    '--from',
    text,
    'must be earliest, latest, an offset, or a time such as 2026-11-21T08:30Z',
  )
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

const gatheredBytesMax = 64 * 1024
const newline = Buffer.from('\n')
const nothing = Buffer.alloc(0)

/** Records on their way out, as bytes: a value need not be text. */
class RecordOutput {
  readonly #output: Output
  readonly #format: ConsumeOptions['format']
  #gathered: Buffer[] = []
  #bytes = 0

  constructor(output: Output, format: ConsumeOptions['format']) {
    this.#output = output
    this.#format = format
  }

  get isFull(): boolean {
    return this.#bytes >= gatheredBytesMax
  }

  add(record: LogRecord): void {
    const line =
      this.#format === 'value'
        ? (record.value ?? nothing)
        : Buffer.from(JSON.stringify(describeRecord(record)))
    this.#gathered.push(line, newline)
    this.#bytes += line.length + 1
  }

  async flush(): Promise<void> {
    if (this.#bytes === 0) return
    const bytes = Buffer.concat(this.#gathered, this.#bytes)
    this.#gathered = []
    this.#bytes = 0
    await this.#output.write(bytes)
  }
}

function describeRecord(record: LogRecord): object {
  const { offset, timestamp } = record
  const key = describeBytes(record.key)
  const value = describeBytes(record.value)
  const headers = record.headers.map((header) => {
    const { text, isBase64 } = describeBytes(header.value)
    return { key: header.key, value: text, ...(isBase64 && { valueEncoding: 'base64' }) }
  })
  return {
    ...{ offset, timestamp, key: key.text, value: value.text },
    ...(key.isBase64 && { keyEncoding: 'base64' }),
    ...(value.isBase64 && { valueEncoding: 'base64' }),
    ...(headers.length > 0 && { headers }),
  }
}

function describeBytes(bytes: Buffer | null): { text: string | null; isBase64: boolean } {
  if (bytes === null) return { text: null, isBase64: false }
  const text = utf8Text(bytes)
  return text === null
    ? { text: bytes.toString('base64'), isBase64: true }
    : { text, isBase64: false }
}
