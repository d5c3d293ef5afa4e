import type { PayloadRecord } from '../harness/payload.ts'

/**
 * What an acknowledgement is worth: `flushed` survives a power cut, `written` the end of the
 * process only. Nothing is compared across the two.
 */
export type Promised = 'flushed' | 'written'

/** A library that records can be kept in, used as its authors advise for this job. */
export interface Peer {
  /** With its version. */
  readonly name: string
  /** How it is used, in a line: what is not said is its default. */
  readonly settings: string
  /** What it can promise. */
  readonly promises: readonly Promised[]
  /** Into a directory that does not exist yet. */
  open(path: string, promised: Promised): Promise<PeerStore>
}

/** Records by their number, from 0 on, in the order in which they were appended. */
export interface PeerStore {
  /** Resolves when what was promised of the record holds. */
  append(record: PayloadRecord): Promise<unknown>
  /** The same of many at once, in one call of the library where it has one. */
  appendBatch(records: readonly PayloadRecord[]): Promise<unknown>
  /** From the first to the last. */
  readAll(visitor: RecordVisitor): Promise<void>
  /** One after the other, by number. */
  readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void>
  close(): Promise<void>
}

/** Takes records in the form in which a library hands them out. */
export interface RecordVisitor {
  bytes(record: Uint8Array): void
  keyAndValue(key: Uint8Array, value: Uint8Array): void
  /** All payloads are ASCII. */
  text(record: string): void
}
