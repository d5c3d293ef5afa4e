import type { Offset, RecordHeaderInput, Timestamp } from '@varve/record'

/** A record to be sent. */
export interface ProducerRecord<Key, Value> {
  /** Chooses the partition, and is what compaction goes by. @defaultValue null */
  readonly key?: Key | null
  /** Null is a tombstone: it deletes the key where the topic is compacted. @defaultValue null */
  readonly value?: Value | null
  readonly headers?: readonly RecordHeaderInput[]
  /** Milliseconds since the epoch. @defaultValue now */
  readonly timestamp?: Timestamp
  /**
   * So many ms after its timestamp the record is not delivered to consumers any more, whatever its
   * topic's retention. Kept in a header, `varve-expires-at`. @defaultValue its topic's
   */
  readonly ttlMs?: number
}

/** A record that has been sent. */
export interface SentRecord {
  readonly topic: string
  readonly partition: number
  /** -1 with `acks: 'none'`, which does not wait to learn it. */
  readonly offset: Offset
  /** Whether the log had it already, so that it was not appended again. */
  readonly isDuplicate: boolean
}

/** Records that were sent together to one partition: all of them, or none. */
export interface SentBatch {
  readonly topic: string
  readonly partition: number
  /** Of the first of them; -1 with `acks: 'none'`. */
  readonly baseOffset: Offset
  /** Of the last of them; -1 likewise. */
  readonly lastOffset: Offset
  readonly isDuplicate: boolean
}

/** Settles the promise of a send; with a promise that is rejected, as that. */
export type Settle<Sent> = (sent: Sent | Promise<never>) => void
