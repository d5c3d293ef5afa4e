import fc from 'fast-check'
import type { LogRecord, RecordInput } from '../src/index.ts'

/** A record as plain data, so that what was written and what was read can be compared. */
export interface PlainRecord {
  readonly offset: number
  readonly timestamp: number
  readonly sequence: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/** Bytes as hex: comparing strings is quick, comparing Buffers element by element is not. */
export function plainRecord(record: LogRecord): PlainRecord {
  return {
    offset: record.offset,
    timestamp: record.timestamp,
    sequence: record.sequence,
    key: hexOf(record.key),
    value: hexOf(record.value),
    headers: record.headers.map(({ key, value }) => [key, hexOf(value)] as const),
  }
}

/** What should be read back of `input` as the record at `offset`. */
export function plainInput(
  input: RecordInput,
  place: { readonly offset: number; readonly timestamp: number; readonly sequence: number },
): PlainRecord {
  return {
    ...place,
    key: hexOf(input.key),
    value: hexOf(input.value),
    headers: (input.headers ?? []).map(({ key, value }) => {
      return [Buffer.from(key).toString(), hexOf(value)] as const
    }),
  }
}

function hexOf(field: Uint8Array | string | null | undefined): string | null {
  return field === null || field === undefined ? null : Buffer.from(field).toString('hex')
}

const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 10 }).map((units) => {
    return String.fromCharCode(...units)
  }),
)
const field = fc.oneof(
  fc.constant(null),
  text,
  fc.uint8Array({ maxLength: 60 }),
  fc.uint8Array({ minLength: 100, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
)
const timestamp = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 2 ** 31, 2 ** 53 - 2) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 53 - 2 }) },
)

/** Records of every shape that the format has. */
export const anyRecord: fc.Arbitrary<RecordInput> = fc.record(
  {
    key: field,
    value: field,
    headers: fc.array(fc.record({ key: text, value: field }), { maxLength: 4 }),
    timestamp,
  },
  { requiredKeys: [] },
)
