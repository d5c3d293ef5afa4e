import type { LogRecord, Timestamp } from '@varve/record'

/** When a record expires that has a time to live of its own: ms since the epoch, in decimal. */
export const expiresAtHeader = 'varve-expires-at'

/**
 * Whether a record's time is over: by its topic's `recordTtlMs` (-1 never), or by its own header.
 * Then it is not delivered any more, and compaction drops it. A record without a timestamp, or with
 * a header that is no number, stays.
 */
export function isExpired(record: LogRecord, recordTtlMs: number, now: Timestamp): boolean {
  const { timestamp } = record
  if (recordTtlMs >= 0 && timestamp >= 0 && timestamp + recordTtlMs <= now) return true
  return ownExpiryOf(record) <= now
}

/** When a record expires by its own header, whatever its topic says; Infinity never. */
export function ownExpiryOf(record: LogRecord): Timestamp {
  let earliestMs = Number.POSITIVE_INFINITY
  for (const { key, value } of record.headers) {
    if (key !== expiresAtHeader || value === null || value.length === 0) continue
    const expiresAtMs = Number(value.toString('latin1'))
    if (expiresAtMs < earliestMs) earliestMs = expiresAtMs
  }
  return earliestMs
}
