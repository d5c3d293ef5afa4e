import type { LogRecord, RecordInput, Timestamp } from '@varve/record'

/** When a record expires that has a time to live of its own: ms since the epoch, in decimal. */
export const expiresAtHeader = 'varve-expires-at'

/** The record, saying when it expires. */
export function withExpiry(record: RecordInput, expiresAtMs: Timestamp): RecordInput {
  const header = { key: expiresAtHeader, value: String(expiresAtMs) }
  return { ...record, headers: [...(record.headers ?? []), header] }
}

/**
 * Whether a record is not to be delivered any more: by its topic's `recordTtlMs` (-1 never), or by
 * its own header. A record without a timestamp, or with a header that is no number, stays.
 */
export function isExpired(record: LogRecord, recordTtlMs: number, now: Timestamp): boolean {
  const { timestamp } = record
  if (recordTtlMs >= 0 && timestamp >= 0 && timestamp + recordTtlMs <= now) return true
  for (const { key, value } of record.headers) {
    if (key !== expiresAtHeader || value === null) continue
    const expiresAtMs = Number(value.toString('latin1'))
    if (value.length > 0 && expiresAtMs <= now) return true
  }
  return false
}
