import type { RecoveryReport } from '@varve/log'

/** What the writer tells the process that started it, a JSON object a line. */
export type WriterMessage = OpenedMessage | AcknowledgedMessage | ClosedMessage

/** The log is open, recovered where it had to be. */
export interface OpenedMessage {
  readonly type: 'opened'
  readonly logEndOffset: number
  readonly report: RecoveryReport
}

/** Records have been acknowledged: they are on disk. */
export interface AcknowledgedMessage {
  readonly type: 'acknowledged'
  readonly records: readonly AcknowledgedRecord[]
  /** Calls of fdatasync so far, in this life of the writer. */
  readonly flushes: number
}

export interface AcknowledgedRecord {
  readonly offset: number
  readonly key: string
  readonly sizeBytes: number
  /** SHA-256 of the value, in hexadecimal. */
  readonly sha256: string
  /** From the append to its acknowledgement. */
  readonly latencyMs: number
}

/** Everything was appended, and the log closed. */
export interface ClosedMessage {
  readonly type: 'closed'
}
