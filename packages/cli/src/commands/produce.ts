import { createReadStream, statSync } from 'node:fs'
import { type Acks, LogNotFoundError } from '@varve/log'
import { type CompressionType, InvalidArgumentError, type RecordInput } from '@varve/record'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes, InterruptedError } from '../command-io.ts'
import { formatAmount } from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { StreamInput } from '../process-io.ts'
import { AppendWindow } from '../produce/append-window.ts'
import { LineSplitter } from '../produce/line-splitter.ts'
import { printSummary } from '../produce/produce-summary.ts'
import { Progress } from '../progress.ts'

export interface ProduceOptions {
  readonly topic: string
  /** A data directory is made when it is not there; a topic of a server is not. */
  readonly home: Home
  /**
   * In a data directory 0 for null; a topic that is not there is made with all partitions before
   * it, up to 999. On a server null leaves it to the keys, or to the producer.
   */
  readonly partition: number | null
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

/**
 * Appends a record for each line of a file or of standard input. When the user interrupts it, what
 * was read so far is appended and acknowledged before it ends; a line that had not ended is not.
 */
export async function produce(options: ProduceOptions, io: CommandIo): Promise<number> {
  requireCount('partition', options.partition, 0)
  requireCount('max-message-bytes', options.maxMessageBytes, 1024)
  // What is wrong with the arguments is said before anything is made.
  const toRecord = recordReader(options.keySeparator)
  const input = openInput(options, io)
  let window: AppendWindow | null = null
  const opened = await openTarget(options, io)
  let startedMs = io.clock.monotonic()
  try {
    window = new AppendWindow(await opened.target())
    startedMs = io.clock.monotonic()
    await appendLines(input, window, toRecord, options, io)
  } catch (error) {
    await opened.close().catch(() => undefined)
    if (window !== null) {
      await printSummary(window.acknowledged, options, io, { startedMs, isWhole: false })
    }
    throw error
  }
  await opened.close()
  const isWhole = !io.signal.aborted
  await printSummary(window.acknowledged, options, io, { startedMs, isWhole })
  // At a terminal, Ctrl-C is how one stops typing; anywhere else the input was cut short.
  if (io.signal.aborted && !input.isTerminal) {
    throw new InterruptedError('interrupted: what is said to be appended is, the rest is not')
  }
  return exitCodes.fine
}

async function openTarget({ home, ...options }: ProduceOptions, io: CommandIo) {
  if ('data' in home) {
    const { openLocalTarget } = await import('../produce/local-target.ts')
    return openLocalTarget({ ...options, ...home }, io)
  }
  const { openServerTarget } = await import('../produce/server-target.ts')
  return openServerTarget({ ...options, ...home })
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
