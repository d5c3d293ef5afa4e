import { expiresAtHeader } from '@varve/cleaner'
import type { RecordInput, Timestamp } from '@varve/record'

/** The record, saying when it expires. */
export function withExpiry(record: RecordInput, expiresAtMs: Timestamp): RecordInput {
  const header = { key: expiresAtHeader, value: String(expiresAtMs) }
  return { ...record, headers: [...(record.headers ?? []), header] }
}
