import { type File, nodeFileSystem } from '@varve/log'
import {
  type Batch,
  CorruptBatchError,
  DecompressionLimitError,
  type LogRecord,
  UnsupportedFormatError,
} from '@varve/record'
import { throwIfInterrupted } from '../command-io.ts'
import { formatAmount, formatBytes, formatTimestamp } from '../human.ts'
import { type StreamEnd, streamBatches } from './batch-stream.ts'
import type { DumpContext } from './dump-context.ts'
import { preview } from './preview.ts'
import { writeRecordJson } from './record-json.ts'

/** What was seen of a `.log` file so far. */
interface Tally {
  batches: number
  records: number
  /** Where the first damage begins; null while there is none. */
  damage: { readonly position: number; readonly problem: string } | null
}

/**
 * Prints the batches of a `.log` file, with their records where that is asked for, and at the end a
 * summary. A batch whose checksum or records are wrong is printed as far as its header goes, with
 * the reason, and reading goes on behind it; where the next batch cannot be found, it stops.
 */
export async function dumpLogFile(context: DumpContext, path: string, name: string): Promise<void> {
  const file = nodeFileSystem.open(path, 'read')
  try {
    const sizeBytes = file.sizeBytes()
    if (!context.options.json) context.lines.line(`${name}  ${formatBytes(sizeBytes)}`)
    const tally: Tally = { batches: 0, records: 0, damage: null }
    const end = await dumpBatches(context, file, { name, sizeBytes, tally })
    printSummary(context, { name, sizeBytes, tally, end })
    await context.lines.flush()
  } finally {
    file.close()
  }
}

interface LogFile {
  readonly name: string
  readonly sizeBytes: number
  readonly tally: Tally
}

/** Null as the end: it stopped because enough was printed. */
async function dumpBatches(
  context: DumpContext,
  file: File,
  log: LogFile,
): Promise<StreamEnd | null> {
  const { from } = context.options
  const batches = streamBatches(file, log.sizeBytes)
  for (;;) {
    if (context.left === 0) return null
    throwIfInterrupted(context.io)
    const next = await batches.next()
    if (next.done === true) return next.value
    const batch = next.value
    if (from !== null && batch.lastOffset < from) continue
    await dumpBatch(context, log, batch)
    if (context.lines.isFull) await context.lines.flush()
  }
}

async function dumpBatch(context: DumpContext, log: LogFile, batch: Batch): Promise<void> {
  const { options, lines } = context
  const { tally } = log
  const checked = checkBatch(batch)
  if (checked.problem !== null) {
    tally.damage ??= { position: batch.position, problem: checked.problem }
    context.hasFindings = true
  } else {
    tally.batches += 1
    tally.records += checked.count
  }
  if (!options.records) context.left -= 1
  if (options.json) {
    lines.text(JSON.stringify(describeBatch(log.name, batch, checked.problem)).slice(0, -1))
    if (options.records && checked.records !== null) {
      lines.text(',"records":[')
      await dumpRecordsJson(context, checked.records)
      lines.text(']')
    }
    lines.line('}')
    return
  }
  lines.line(explainBatch(batch, checked))
  if (options.records && checked.records !== null) await dumpRecords(context, checked.records)
}

interface CheckedBatch {
  /** What is wrong with it; null when nothing is. */
  readonly problem: string | null
  /** Decodable to the last one; null with a problem. */
  readonly records: Iterable<LogRecord> | null
  readonly count: number
}

/** Goes through all of the records, so that a line once begun can be ended. */
function checkBatch(batch: Batch): CheckedBatch {
  try {
    batch.validate()
    const records = batch.records()
    let count = 0
    for (const _ of records) count += 1
    return { problem: null, records, count }
  } catch (error) {
    return { problem: problemOf(error), records: null, count: 0 }
  }
}

/** What bytes are to blame for; anything else, such as a codec that cannot be loaded, is thrown. */
export function problemOf(error: unknown): string {
  if (error instanceof CorruptBatchError) return error.reason
  if (error instanceof UnsupportedFormatError || error instanceof DecompressionLimitError) {
    return error.message
  }
  throw error
}

/** Whether a record is to be printed, and counts. */
function isWanted(context: DumpContext, record: LogRecord): boolean {
  const { from } = context.options
  if ((from !== null && record.offset < from) || context.left === 0) return false
  context.left -= 1
  return true
}

async function dumpRecordsJson(context: DumpContext, records: Iterable<LogRecord>): Promise<void> {
  const { lines, options } = context
  let separator = ''
  for (const record of records) {
    if (!isWanted(context, record)) continue
    lines.text(separator)
    separator = ','
    await writeRecordJson(lines, record, options.digest)
    if (lines.isFull) await lines.flush()
  }
}

async function dumpRecords(context: DumpContext, records: Iterable<LogRecord>): Promise<void> {
  const { lines } = context
  for (const record of records) {
    if (!isWanted(context, record)) continue
    const { offset, timestamp } = record
    lines.line(
      `    ${offset}  ${formatTimestamp(timestamp)}  ${preview(record.key)}  ${preview(record.value)}`,
    )
    for (const { key, value } of record.headers) {
      lines.line(`      header ${JSON.stringify(key)}  ${preview(value)}`)
    }
    if (lines.isFull) await lines.flush()
  }
}

/** The fields of a batch under the names that other readers of the format use. */
function describeBatch(file: string, batch: Batch, problem: string | null): object {
  return {
    ...{ file, type: 'batch', position: batch.position, size: batch.sizeBytes },
    magic: batch.magic,
    baseOffset: problem === null ? batch.baseOffset : storedBaseOffset(batch),
    lastOffset: batch.lastOffset,
    count: batch.count,
    leaderEpoch: batch.leaderEpoch,
    codec: codecOf(batch),
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    transactional: batch.isTransactional,
    control: batch.isControl,
    deleteHorizon: batch.deleteHorizon,
    ...{ producerId: batch.producerId, producerEpoch: batch.producerEpoch },
    ...{ baseSequence: batch.baseSequence, lastSequence: batch.lastSequence },
    ...(problem !== null && { error: problem }),
  }
}

/** Of a compressed legacy batch the first offset lies inside, where damage may have hidden it. */
function storedBaseOffset(batch: Batch): number | null {
  return batch.magic === 2 ? batch.baseOffset : null
}

function codecOf(batch: Batch): string | null {
  try {
    return batch.compressionType
  } catch {
    return null
  }
}

function explainBatch(batch: Batch, checked: CheckedBatch): string {
  const first = checked.problem === null ? batch.baseOffset : storedBaseOffset(batch)
  const parts = [
    `  @${batch.position}`,
    formatBytes(batch.sizeBytes),
    `offsets ${first ?? '?'} to ${batch.lastOffset}`,
    formatAmount(checked.problem === null ? checked.count : (batch.count ?? 0), 'record'),
    codecOf(batch) ?? 'unknown codec',
    `${batch.timestampType} ${formatTimestamp(batch.maxTimestamp)}`,
  ]
  if (batch.magic !== 2) parts.push(`magic ${batch.magic}`)
  if (batch.leaderEpoch >= 0) parts.push(`epoch ${batch.leaderEpoch}`)
  if (batch.producerId >= 0) {
    const { producerId, producerEpoch, baseSequence, lastSequence } = batch
    const sequences = baseSequence < 0 ? '' : ` sequences ${baseSequence} to ${lastSequence}`
    parts.push(`producer ${producerId} epoch ${producerEpoch}${sequences}`)
  }
  if (batch.isTransactional) parts.push('transactional')
  if (batch.isControl) parts.push('control')
  if (batch.deleteHorizon !== null) {
    parts.push(`delete horizon ${formatTimestamp(batch.deleteHorizon)}`)
  }
  if (checked.problem !== null) parts.push(`DAMAGED: ${checked.problem}`)
  return parts.join('  ')
}

function printSummary(
  context: DumpContext,
  log: LogFile & { readonly end: StreamEnd | null },
): void {
  const { lines, options } = context
  const { name, sizeBytes, tally, end } = log
  const stop = describeStop(tally, end)
  if (end !== null && end.problem !== null) context.hasFindings = true
  const { batches, records } = tally
  if (options.json) {
    const validBytes = tally.damage?.position ?? end?.position ?? null
    const bytes = sizeBytes
    lines.json({ file: name, type: 'log', bytes, validBytes, batches, records, stop })
    return
  }
  const counts = `${formatAmount(batches, 'batch')}, ${formatAmount(records, 'record')}`
  lines.line(`  ${counts}, ${stop === 'eof' ? 'read to the end' : stop}`)
}

/** `eof` when all of the file is whole; otherwise the first thing that is wrong, or `max`. */
function describeStop(tally: Tally, end: StreamEnd | null): string {
  const { damage } = tally
  if (damage !== null) return `damaged at ${damage.position}: ${damage.problem}`
  if (end === null) return 'max'
  return end.problem === null ? 'eof' : `damaged at ${end.position}: ${end.problem}`
}
