import type { LogRecord, Offset, Timestamp } from '@varve/record'

/** Which records are replayed: those that meet every condition that is given. */
export interface ReplayFilter {
  /** The record's key is one of these, byte by byte. @defaultValue any */
  readonly keys?: readonly Buffer[]
  /** It has a header of each of these names, with this value where one is given. */
  readonly headers?: ReadonlyArray<{ readonly key: string; readonly value: Buffer | null }>
  /** From this time on. @defaultValue always */
  readonly since?: Timestamp
  /** Before this time. @defaultValue always */
  readonly until?: Timestamp
  /** From this offset of the source on. @defaultValue all */
  readonly fromOffset?: Offset
  /** Before this offset of the source. @defaultValue all */
  readonly toOffset?: Offset
}

export function passes(record: LogRecord, filter: ReplayFilter): boolean {
  const { keys, headers, since, until, fromOffset = 0, toOffset } = filter
  const { offset, timestamp } = record
  if (offset < fromOffset || (toOffset !== undefined && offset >= toOffset)) return false
  if (since !== undefined && timestamp < since) return false
  if (until !== undefined && timestamp >= until) return false
  const { key } = record
  if (keys !== undefined && !keys.some((wanted) => key !== null && wanted.equals(key))) return false
  return headers?.every((wanted) => hasHeader(record, wanted)) ?? true
}

/** The filter as text: of the same filter the same one. */
export function filterText({ keys, headers, ...bounds }: ReplayFilter): string {
  return JSON.stringify([
    keys?.map((key) => key.toString('hex')).sort() ?? null,
    headers?.map(({ key, value }) => `${key}=${value?.toString('hex')}`).sort() ?? null,
    bounds.since ?? null,
    bounds.until ?? null,
    bounds.fromOffset ?? null,
    bounds.toOffset ?? null,
  ])
}

function hasHeader(
  record: LogRecord,
  wanted: { readonly key: string; readonly value: Buffer | null },
): boolean {
  return record.headers.some(
    ({ key, value }) =>
      key === wanted.key &&
      (wanted.value === null || (value !== null && wanted.value.equals(value))),
  )
}
