import type { LogRecord } from '@varve/record'
import { UiRequestError } from './ui-errors.ts'
import type { UiQuery } from './ui-query.ts'

/** Which records are wanted. */
export type RecordFilter = (record: LogRecord) => boolean

/**
 * By key, exactly, and by what key or value contain; null for all records. What begins with `0x` is
 * bytes in hexadecimal notation. Throws UiRequestError.
 */
export function recordFilter(query: UiQuery): RecordFilter | null {
  const key = wantedBytes(query.text('key'), 'key')
  const contained = wantedBytes(query.text('contains'), 'contains')
  if (key === null && contained === null) return null
  return (record) => {
    if (key !== null && !(record.keySize === key.length && record.key?.equals(key) === true)) {
      return false
    }
    if (contained === null) return true
    return record.value?.includes(contained) === true || record.key?.includes(contained) === true
  }
}

function wantedBytes(text: string | null, name: string): Buffer | null {
  if (text === null) return null
  if (!text.startsWith('0x')) return Buffer.from(text)
  const hex = text.slice(2).replaceAll(' ', '')
  if (/^(?:[0-9a-f]{2})+$/i.test(hex)) return Buffer.from(hex, 'hex')
  throw new UiRequestError(400, `${name} begins with 0x, but is no bytes in hexadecimal notation`)
}
