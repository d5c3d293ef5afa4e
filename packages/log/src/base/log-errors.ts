import { type FilePosition, type Offset, VarveError } from '@varve/record'

/** A read asked for an offset that the log does not hold (Kafka: OFFSET_OUT_OF_RANGE). */
export class OffsetOutOfRangeError extends VarveError {
  readonly code = 'VARVE_OFFSET_OUT_OF_RANGE'
  readonly kafkaErrorCode = 1
  readonly offset: Offset
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset

  constructor(log: string, offset: Offset, logStartOffset: Offset, logEndOffset: Offset) {
    const range = `${logStartOffset} to ${logEndOffset}`
    super(`offset ${offset} is outside log ${log}, which holds ${range}`, {
      hint:
        offset < logStartOffset
          ? `records before ${logStartOffset} were deleted; go on from there or from the end`
          : 'the next record will get the log end offset; read from there to follow the log',
    })
    this.offset = offset
    this.logStartOffset = logStartOffset
    this.logEndOffset = logEndOffset
  }
}

/** A batch is larger than the log accepts (Kafka: MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE). */
export class BatchTooLargeError extends VarveError {
  readonly code = 'VARVE_BATCH_TOO_LARGE'
  readonly kafkaErrorCode = 10
  readonly sizeBytes: number
  readonly limitBytes: number

  constructor(sizeBytes: number, limitName: string, limitBytes: number) {
    super(`the batch has ${sizeBytes} bytes; ${limitName} is ${limitBytes}`, {
      hint: `append fewer records at a time, or raise ${limitName}`,
    })
    this.sizeBytes = sizeBytes
    this.limitBytes = limitBytes
  }
}

/** A batch breaks a rule for what a producer may append (Kafka: INVALID_RECORD). */
export class InvalidBatchError extends VarveError {
  readonly code = 'VARVE_INVALID_BATCH'
  readonly kafkaErrorCode = 87
}

/** The append queue is full and the caller chose not to wait. */
export class AppendQueueFullError extends VarveError {
  readonly code = 'VARVE_APPEND_QUEUE_FULL'
  override readonly retriable = true

  constructor(log: string, queueBytesMax: number) {
    super(`the append queue of log ${log} holds ${queueBytesMax} bytes or more`, {
      hint: 'wait for appends in flight, raise queueBytesMax, or use whenQueueFull: wait',
    })
  }
}

/**
 * A write or flush of this log failed, now or earlier (Kafka: KAFKA_STORAGE_ERROR). What the disk
 * holds is unknown until the log is reopened and recovered, so nothing succeeds before that.
 */
export class LogOfflineError extends VarveError {
  readonly code = 'VARVE_LOG_OFFLINE'
  readonly kafkaErrorCode = 56

  constructor(log: string, operation: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`log ${log} is offline: ${operation} failed: ${why}`, {
      cause,
      hint: 'mend the storage, then close the log and open it again: opening recovers it',
    })
  }
}

/** The log was closed. */
export class LogClosedError extends VarveError {
  readonly code = 'VARVE_LOG_CLOSED'

  constructor(log: string) {
    super(`log ${log} is closed`)
  }
}

/** Somebody else holds the data directory or log open for writing. */
export class LogLockedError extends VarveError {
  readonly code = 'VARVE_LOG_LOCKED'
  override readonly retriable = true
  readonly path: string
  /** Null where the system does not tell. */
  readonly holder: { readonly pid: number; readonly program: string | null } | null

  constructor(
    path: string,
    holder: LogLockedError['holder'] = null,
    hint = 'close it there first, or open it read-only here',
  ) {
    super(`${path} is locked: ${describeHolder(holder)} has it open for writing`, { hint })
    this.path = path
    this.holder = holder
  }
}

function describeHolder(holder: LogLockedError['holder']): string {
  if (holder === null) return 'another process, or this one,'
  if (holder.pid === process.pid) return 'this process'
  return `process ${holder.pid}${holder.program === null ? '' : ` (${holder.program})`}`
}

/** A directory or partition that should be there is not, or is not what its name says. */
export class LogNotFoundError extends VarveError {
  readonly code = 'VARVE_LOG_NOT_FOUND'
  override readonly retriable = false
}

/** There is something already where a new log was to be made. */
export class LogExistsError extends VarveError {
  readonly code = 'VARVE_LOG_EXISTS'
}

/** A restore was interrupted as it took its place: what is in the directory is not all of it. */
export class UnfinishedRestoreError extends VarveError {
  readonly code = 'VARVE_UNFINISHED_RESTORE'
  readonly path: string

  constructor(path: string) {
    super(`a restore of ${path} was interrupted as it took its place`, {
      hint: `complete it with \`varve restore --finish --to ${path}\`, or open it with openVarve`,
    })
    this.path = path
  }
}

/** Where a log is damaged, and what of it is concerned. */
export interface Damage {
  readonly path: string
  readonly position: FilePosition
  /** The first offset concerned. */
  readonly firstOffset: Offset
  /** The last offset concerned, where it is known. */
  readonly lastOffset: Offset | null
  readonly reason: string
}

/**
 * Records that were known to be durable are damaged or missing. Opening refuses the log and changes
 * nothing, so that whoever repairs it has everything that is left.
 */
export class CorruptLogError extends VarveError {
  readonly code = 'VARVE_CORRUPT_LOG'
  readonly kafkaErrorCode = 2
  readonly damage: Damage

  constructor(damage: Damage, options: { readonly cause?: unknown } = {}) {
    const { path, position, firstOffset, lastOffset, reason } = damage
    const offsets =
      lastOffset === null ? `${firstOffset} and later` : `${firstOffset} to ${lastOffset}`
    super(`${path}: damaged at position ${position}, offsets ${offsets}: ${reason}`, {
      ...options,
      hint: 'run `varve verify` to see all of the damage, then `varve repair`, or restore a backup',
    })
    this.damage = damage
  }
}

/** With `onLostWrites: 'refuse'`: valid batches follow the place where the log would be cut. */
export class LostWriteError extends VarveError {
  readonly code = 'VARVE_LOST_WRITE'
  readonly damage: Damage

  constructor(damage: Damage) {
    super(
      `${damage.path}: unreadable at position ${damage.position} (${damage.reason}), yet valid ` +
        'batches follow: a write was lost or the medium is failing',
      { hint: 'open with onLostWrites: cut to keep what lies before it, or run `varve repair`' },
    )
    this.damage = damage
  }
}

/** A segment cannot be replaced while a snapshot has it pinned. */
export class SegmentPinnedError extends VarveError {
  readonly code = 'VARVE_SEGMENT_PINNED'
  override readonly retriable = true
  readonly path: string

  constructor(path: string) {
    super(`${path} is pinned by a snapshot`, { hint: 'try again when the snapshot is released' })
    this.path = path
  }
}

/** A derived file is damaged in a way that cannot be worked around while reading. */
export class CorruptIndexError extends VarveError {
  readonly code = 'VARVE_CORRUPT_INDEX'
  readonly path: string
  readonly position: FilePosition

  constructor(path: string, problem: { readonly position: FilePosition; readonly reason: string }) {
    super(`${path}: damaged at position ${problem.position}: ${problem.reason}`, {
      hint: 'it is derived from the log: close the log and run `varve reindex`',
    })
    this.path = path
    this.position = problem.position
  }
}
