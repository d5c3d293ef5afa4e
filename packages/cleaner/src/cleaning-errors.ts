import { type FilePosition, VarveError } from '@varve/record'

/** A sealed segment does not hold what was sealed: its bytes have changed, or it ends too early. */
export class SegmentDamageError extends VarveError {
  readonly code = 'VARVE_SEGMENT_DAMAGED'
  readonly path: string
  /** Where in the `.log` the damage was met; 0 where that is not known. */
  readonly position: FilePosition
  /** What is wrong, without the place. */
  readonly reason: string

  constructor(path: string, position: FilePosition, reason: string) {
    super(`the sealed segment ${path} is damaged at position ${position}: ${reason}`, {
      hint: 'verify the log, then repair it or restore it from a backup',
    })
    this.path = path
    this.position = position
    this.reason = reason
  }
}

/** Compaction failed in a worker, or the worker itself did. The log is as it was. */
export class CompactionFailedError extends VarveError {
  readonly code = 'VARVE_COMPACTION_FAILED'
  override readonly retriable = true
  /** The code of the error in the worker: Varve's, Node's, or null. */
  readonly causeCode: string | null

  constructor(log: string, message: string, causeCode: string | null) {
    super(`compaction of log ${log} failed: ${message}`, {
      hint: 'the log is as it was, and will be tried again',
    })
    this.causeCode = causeCode
  }
}
