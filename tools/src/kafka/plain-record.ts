import type { LogRecord } from '@varve/record'

/**
 * A record as plain data, whoever read it, so that two readers can be compared: keys, values and
 * both parts of headers in base64, null for null.
 */
export interface PlainRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [key: string, value: string | null])[]
}

export function plainRecord(record: LogRecord): PlainRecord {
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    key: base64(record.key),
    value: base64(record.value),
    headers: record.headers.map(
      (header) => [Buffer.from(header.key).toString('base64'), base64(header.value)] as const,
    ),
  }
}

function base64(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('base64')
}
