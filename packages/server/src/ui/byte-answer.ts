import { isUtf8 } from 'node:buffer'
import type { LogRecord } from '@varve/record'
import type { BytesAnswer, HeaderAnswer, RecordAnswer } from './answers.ts'

/** How much of a record is told. */
export interface RecordCut {
  readonly keyBytes: number
  readonly valueBytes: number
  readonly headers: number
  readonly headerBytes: number
}

/** For tables of records. */
export const previewCut: RecordCut = {
  keyBytes: 256,
  valueBytes: 1024,
  headers: 16,
  headerBytes: 128,
}

/** For one record; the whole of a larger one can be downloaded. */
export const wholeCut: RecordCut = {
  keyBytes: 64 * 1024,
  valueBytes: 256 * 1024,
  headers: 1000,
  headerBytes: 16 * 1024,
}

/** The first bytes, as text where they are UTF-8. A character that the cut divides is left out. */
export function bytesAnswer(bytes: Buffer, bytesMax: number): BytesAnswer {
  const size = bytes.length
  const cut = size <= bytesMax ? bytes : bytes.subarray(0, wholeCharacters(bytes, bytesMax))
  if (isUtf8(cut)) return { size, shown: cut.length, text: cut.toString('utf8') }
  const raw = bytes.subarray(0, bytesMax)
  return { size, shown: raw.length, base64: raw.toString('base64') }
}

/** A record, cut. What is returned shares no memory with it. */
export function recordAnswer(partition: number, record: LogRecord, cut: RecordCut): RecordAnswer {
  const { key, value, headers } = record
  return {
    partition,
    offset: record.offset,
    timestamp: record.timestamp,
    key: key === null ? null : bytesAnswer(key, cut.keyBytes),
    value: value === null ? null : bytesAnswer(value, cut.valueBytes),
    headers: headers.slice(0, cut.headers).map((header) => headerAnswer(header, cut.headerBytes)),
    headersLeftOut: Math.max(0, headers.length - cut.headers),
  }
}

function headerAnswer(
  { key, value }: { readonly key: string; readonly value: Buffer | null },
  bytesMax: number,
): HeaderAnswer {
  const name = key.length > bytesMax ? `${key.slice(0, bytesMax)}…` : key
  return { key: name, value: value === null ? null : bytesAnswer(value, bytesMax) }
}

/** Where to cut so that no character of UTF-8 is divided, if it is UTF-8. */
function wholeCharacters(bytes: Buffer, bytesMax: number): number {
  let end = bytesMax
  // A character has four bytes at most; the byte after the cut says whether one goes on there.
  while (end > bytesMax - 4 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}
