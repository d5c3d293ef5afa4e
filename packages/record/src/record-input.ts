import type { Timestamp } from './units.ts'

/** A header to be written. */
export interface RecordHeaderInput {
  readonly key: string
  /** A string is written as UTF-8. */
  readonly value: Uint8Array | string | null
}

/** A record to be appended. Strings are written as UTF-8; an absent key or value is null. */
export interface RecordInput {
  readonly key?: Uint8Array | string | null
  /** A null value is a tombstone where logs are compacted. */
  readonly value?: Uint8Array | string | null
  readonly headers?: readonly RecordHeaderInput[]
  /** Milliseconds since the epoch, or -1. @defaultValue the default timestamp of the append */
  readonly timestamp?: Timestamp
}
