import { createHash } from 'node:crypto'
import type { LogRecord } from '@varve/record'
import type { LineOutput } from '../output.ts'

/** With a digest asked for, longer values stand as their length and SHA-256. */
const wholeValueBytesMax = 256
/** Larger values are encoded in pieces, each a multiple of 3 bytes so that base64 can be joined. */
const pieceBytes = 3 * 64 * 1024

/**
 * Writes a record as JSON: offset, timestamp, sequence, key, value, headers. Bytes stand in base64.
 * Piece by piece, since a value can be larger than the longest string.
 */
export async function writeRecordJson(
  lines: LineOutput,
  record: LogRecord,
  digest: boolean,
): Promise<void> {
  const { offset, timestamp, sequence } = record
  lines.text(`{"offset":${offset},"timestamp":${timestamp},"sequence":${sequence},"key":`)
  await writeBytes(lines, record.key)
  lines.text(',"value":')
  const { value } = record
  if (digest && value !== null && value.length > wholeValueBytesMax) {
    const sha256 = createHash('sha256').update(value).digest('hex')
    lines.text(`{"length":${value.length},"sha256":"${sha256}"}`)
  } else {
    await writeBytes(lines, value)
  }
  lines.text(',"headers":[')
  let separator = ''
  for (const header of record.headers) {
    lines.text(`${separator}["${Buffer.from(header.key).toString('base64')}",`)
    await writeBytes(lines, header.value)
    lines.text(']')
    separator = ','
  }
  lines.text(']}')
}

async function writeBytes(lines: LineOutput, bytes: Buffer | null): Promise<void> {
  if (bytes === null) {
    lines.text('null')
    return
  }
  lines.text('"')
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    lines.text(bytes.toString('base64', start, Math.min(start + pieceBytes, bytes.length)))
    if (lines.isFull) await lines.flush()
  }
  lines.text('"')
}
