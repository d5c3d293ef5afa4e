import { VarveError } from '@varve/record'

/** A checkpoint file is not in Kafka's form. */
export class CorruptCheckpointError extends VarveError {
  readonly code = 'VARVE_CORRUPT_CHECKPOINT'
  readonly path: string
  /** Number of the line that is wrong, from 1. */
  readonly line: number
  /** What is wrong, without the place. */
  readonly reason: string

  constructor(path: string, line: number, reason: string) {
    super(`corrupt checkpoint ${path}, line ${line}: ${reason}`)
    this.path = path
    this.line = line
    this.reason = reason
  }
}

/** A line of a checkpoint, split in columns. */
export interface CheckpointLine {
  /** From 1, as editors count. */
  readonly number: number
  readonly columns: readonly string[]
}

// Kafka's CheckpointFile: text, a version, the number of entries, and an entry a line:
//
//   0\n
//   <count>\n
//   <column> <column> …\n

/** The file for these entries. */
export function encodeCheckpoint(entries: readonly string[]): Buffer {
  return Buffer.from(['0', String(entries.length), ...entries, ''].join('\n'), 'latin1')
}

/**
 * Takes a checkpoint file apart. An empty one has no entries: Kafka creates them so. Stricter than
 * Kafka in one thing: the last line must be ended, since a number cut short reads as another one.
 *
 * Throws CorruptCheckpointError.
 */
export function decodeCheckpoint(
  bytes: Buffer,
  path: string,
  columnCount: number,
): readonly CheckpointLine[] {
  if (bytes.length === 0) return []
  const lines = bytes.toString('latin1').split('\n')
  const last = lines.pop() ?? ''
  if (last !== '') throw new CorruptCheckpointError(path, lines.length + 1, 'the line has no end')
  const version = lines[0]?.trimEnd() ?? ''
  if (version !== '0') {
    throw new CorruptCheckpointError(path, 1, `version ${quoted(version)} instead of 0`)
  }
  const count = decimal(lines[1]?.trimEnd() ?? '')
  if (count === null) throw new CorruptCheckpointError(path, 2, 'not a number of entries')
  if (count !== lines.length - 2) {
    const reason = `${count} entries are announced, ${lines.length - 2} lines follow`
    throw new CorruptCheckpointError(path, 2, reason)
  }
  return lines.slice(2).map((line, index) => {
    const columns = line.trimEnd().split(/[ \t]+/)
    if (columns.length === columnCount) return { number: index + 3, columns }
    const reason = `${quoted(line)} has not ${columnCount} columns`
    throw new CorruptCheckpointError(path, index + 3, reason)
  })
}

/** The number that column `column` of a line holds: decimal, 0 to `max`. */
export function checkpointNumber(
  line: CheckpointLine,
  column: number,
  path: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const text = line.columns[column] ?? ''
  const value = decimal(text)
  if (value !== null && value <= max) return value
  throw new CorruptCheckpointError(path, line.number, `${quoted(text)} is no number of 0 to ${max}`)
}

function decimal(text: string): number | null {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : null
  return value !== null && Number.isSafeInteger(value) ? value : null
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
