import { createReadStream, statSync } from 'node:fs'
import { type Acks, type Log, LogDirectory, LogNotFoundError } from '@varve/log'
import { type CompressionType, InvalidArgumentError, type RecordInput } from '@varve/record'
import { type CommandIo, exitCodes, InterruptedError, throwIfInterrupted } from '../command-io.ts'
import {
  formatAmount,
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  ratePerSecond,
} from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { LineOutput } from '../output.ts'
import { StreamInput } from '../process-io.ts'
import { AppendWindow } from '../produce/append-window.ts'
import { LineSplitter } from '../produce/line-splitter.ts'
import { Progress } from '../progress.ts'

export interface ProduceOptions {
  readonly topic: string
  /** The data directory; made when it is not there. */
  readonly data: string
  /** Made with all partitions before it when it is not there; up to 999. */
  readonly partition: number
  readonly acks: Acks
  readonly compressionType: CompressionType
  /** Null: standard input. */
  readonly file: string | null
  /** What stands before its first occurrence on a line is the key. `\t` and `\\` are understood. */
  readonly keySeparator: string | null
  /** Largest batch in bytes, and so about the longest line. */
  readonly maxMessageBytes: number
  readonly json: boolean
}

/** Records are appended together up to about this many bytes. */
const groupBytesMax = 256 * 1024
/** What a record takes at most beside its key and value. */
const recordOverheadBytes = 64
const batchHeaderBytes = 61
/** A slip of the finger must not fill the disk with directories. */
const newPartitionsMax = 1000

/**
 * Appends a record for each line of a file or of standard input. When the user interrupts it, what
 * was read so far is appended and acknowledged before it ends; a line that had not ended is not.
 */
export async function produce(options: ProduceOptions, io: CommandIo): Promise<number> {
  const { topic, partition, maxMessageBytes } = options
  requireCount('partition', partition, 0)
  requireCount('max-message-bytes', maxMessageBytes, 1024)
  // What is wrong with the arguments is said before anything is made.
  const toRecord = recordReader(options.keySeparator)
  const input = openInput(options, io)
  const directory = await LogDirectory.open(options.data, { log: { maxMessageBytes } })
  const startedMs = io.clock.monotonic()
  let window: AppendWindow | null = null
  try {
    const log = await openPartition(directory, topic, partition, io)
    await reportRecovery(log, options, io)
    window = new AppendWindow(log, options)
    await appendLines(input, window, toRecord, options, io)
  } catch (error) {
    await directory.close().catch(() => undefined)
    if (window !== null) await printSummary(window, options, io, { startedMs, isWhole: false })
    throw error
  }
  await directory.close()
  await printSummary(window, options, io, { startedMs, isWhole: !io.signal.aborted })
  // At a terminal, Ctrl-C is how one stops typing; anywhere else the input was cut short.
  if (io.signal.aborted && !input.isTerminal) {
    throw new InterruptedError('interrupted: what is said to be appended is, the rest is not')
  }
  return exitCodes.fine
}

interface LineInput {
  readonly isTerminal: boolean
  /** Null where nobody knows. */
  readonly totalBytes: number | null
  chunks(): AsyncIterable<Uint8Array>
}

/** Opened before anything is made, so that a file that is not there leaves nothing behind. */
function openInput(options: ProduceOptions, io: CommandIo): LineInput {
  const { file } = options
  if (file === null) {
    return { isTerminal: io.stdin.isTerminal, totalBytes: null, chunks: () => io.stdin.chunks() }
  }
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined) throw new LogNotFoundError(`there is no file ${file}`)
  if (stat.isDirectory()) throw new InvalidArgumentError('--file', file, 'is a directory')
  const stream = createReadStream(file, { highWaterMark: groupBytesMax })
  const input = new StreamInput(stream, false, io.signal)
  return {
    isTerminal: false,
    totalBytes: stat.isFile() ? stat.size : null,
    chunks: () => input.chunks(),
  }
}

async function openPartition(
  directory: LogDirectory,
  topic: string,
  partition: number,
  io: CommandIo,
): Promise<Log> {
  const isThere = (number: number): boolean =>
    directory.logs.has(`${topic}-${number}`) || directory.failures.has(`${topic}-${number}`)
  if (partition >= newPartitionsMax && !isThere(partition)) {
    const rule = `is not there; make a topic of so many partitions with \`varve topic\``
    throw new InvalidArgumentError('--partition', partition, rule)
  }
  for (let number = 0; number <= partition; number += 1) {
    throwIfInterrupted(io)
    if (!isThere(number)) await directory.createLog(topic, number)
  }
  return directory.log(topic, partition)
}

async function reportRecovery(log: Log, options: ProduceOptions, io: CommandIo): Promise<void> {
  const { cut } = log.recoveryReport
  if (cut === null || options.json) return
  const kept = cut.keptIn.length === 0 ? '' : `, kept in ${cut.keptIn.join(', ')}`
  await io.stderr.write(
    `${log.name}: recovered; cut at offset ${cut.offset}: ${formatBytes(cut.bytes)}${kept}\n`,
  )
}

async function appendLines(
  input: LineInput,
  window: AppendWindow,
  toRecord: ToRecord,
  options: ProduceOptions,
  io: CommandIo,
): Promise<void> {
  const lineBytesMax = options.maxMessageBytes - batchHeaderBytes - recordOverheadBytes
  const splitter = new LineSplitter(Math.max(1, lineBytesMax))
  const activity = 'appended'
  const progress = new Progress(io, { activity, totalBytes: input.totalBytes })
  let readBytes = 0
  try {
    for await (const chunk of input.chunks()) {
      readBytes += chunk.length
      await appendGroups(window, splitter.push(chunk), toRecord)
      progress.update(readBytes, formatAmount(window.acknowledged.records, 'record'))
    }
    const last = io.signal.aborted ? null : splitter.end()
    if (last !== null) await appendGroups(window, [last], toRecord)
    await window.settle()
  } finally {
    progress.clear()
  }
}

/** Appends lines in groups; what came together waits for nothing that comes later. */
async function appendGroups(
  window: AppendWindow,
  lines: readonly Uint8Array[],
  toRecord: ToRecord,
): Promise<void> {
  let records: RecordInput[] = []
  let bytes = 0
  for (const line of lines) {
    if (bytes > 0 && bytes + line.length > groupBytesMax) {
      await window.append(records, bytes)
      records = []
      bytes = 0
    }
    records.push(toRecord(line))
    bytes += line.length
  }
  if (records.length > 0) await window.append(records, bytes)
}

type ToRecord = (line: Uint8Array) => RecordInput

function recordReader(keySeparator: string | null): ToRecord {
  if (keySeparator === null) return (value) => ({ value })
  const separator = Buffer.from(
    keySeparator.replace(/\\([t\\])/g, (_, escaped) => (escaped === 't' ? '\t' : '\\')),
  )
  if (separator.length === 0) {
    throw new InvalidArgumentError('--key-separator', keySeparator, 'must not be empty')
  }
  let number = 0
  return (line) => {
    number += 1
    const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
    const at = bytes.indexOf(separator)
    if (at < 0) {
      const rule = `it has no key separator ${JSON.stringify(keySeparator)}`
      throw new InvalidArgumentError('the input', `line ${number}`, rule)
    }
    return { key: bytes.subarray(0, at), value: bytes.subarray(at + separator.length) }
  }
}

async function printSummary(
  window: AppendWindow,
  options: ProduceOptions,
  io: CommandIo,
  { startedMs, isWhole }: { readonly startedMs: number; readonly isWhole: boolean },
): Promise<void> {
  const { topic, partition, acks } = options
  const { records, bytes, firstOffset, lastOffset } = window.acknowledged
  const elapsedMs = io.clock.monotonic() - startedMs
  const lines = new LineOutput(io.stdout)
  if (options.json) {
    lines.json({
      ...{ topic, partition, acks, records, bytes, firstOffset, lastOffset },
      elapsedMs: Math.round(elapsedMs),
      recordsPerSecond: Math.round(ratePerSecond(records, elapsedMs)),
      bytesPerSecond: Math.round(ratePerSecond(bytes, elapsedMs)),
      complete: isWhole,
    })
  } else {
    const offsets =
      firstOffset === null || lastOffset === null
        ? 'nothing appended'
        : `offsets ${formatCount(firstOffset)} to ${formatCount(lastOffset)}`
    lines.line(
      `${topic}-${partition}: ${formatAmount(records, 'record')}, ${formatBytes(bytes)}, ` +
        `${offsets}, acknowledged as ${acks}`,
    )
    const rates = [formatRate(records, 'record', elapsedMs), formatByteRate(bytes, elapsedMs)]
    lines.line([formatDuration(elapsedMs), ...rates].join(', '))
  }
  await lines.flush()
}
