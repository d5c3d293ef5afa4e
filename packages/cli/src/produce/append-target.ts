import type { Acks } from '@varve/log'
import type { CompressionType, RecordInput } from '@varve/record'

/** Records that were acknowledged together. */
export interface Appended {
  readonly partition: number
  readonly records: number
  /** Null where nobody was told. */
  readonly firstOffset: number | null
  readonly lastOffset: number | null
}

/** Where `varve produce` appends. */
export interface AppendTarget {
  /** In the order of the calls. Resolves with where the records are, once they are acknowledged. */
  append(records: readonly RecordInput[]): Promise<readonly Appended[]>
}

export interface AppendOptions {
  readonly topic: string
  /** Null where it is not said. */
  readonly partition: number | null
  readonly acks: Acks
  readonly compressionType: CompressionType
  /** Largest batch in bytes. */
  readonly maxMessageBytes: number
  readonly json: boolean
}

/** A home that is open; its target may take a recovery to get. */
export interface OpenTarget {
  target(): Promise<AppendTarget>
  close(): Promise<void>
}
