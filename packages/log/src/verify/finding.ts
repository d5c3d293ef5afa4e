import type { FilePosition, Offset, VarveError } from '@varve/record'

/**
 * - `error`: something is lost, damaged or contradicts the log.
 * - `warning`: a crash leaves it so, and opening the log deals with it; or it could not be checked.
 * - `note`: worth knowing, and nothing wrong.
 */
export type Severity = 'error' | 'warning' | 'note'

/**
 * What kind of thing was found. Stable: programs may depend on these.
 *
 * About records, in `.log` files:
 * - `batch-corrupt`: the bytes are not those that were written, or no batch at all.
 * - `header-altered`: base offset, size, leader epoch, magic or CRC of a batch was changed; the
 *   batch's CRC does not cover these fields, the segment's digest or the batch's neighbours do.
 * - `batch-misplaced`: a batch that is right in itself, at offsets that cannot be its own.
 * - `records-corrupt`: the batch is as it was written, but its records cannot be read.
 * - `records-unchecked`: an unknown codec, a codec that cannot be loaded, or records too large.
 * - `torn-tail`: the end of the active segment, not written completely.
 * - `trailing-bytes`: bytes behind the last batch of a segment that is complete.
 * - `preallocated`: zeros behind the last batch of the active segment.
 * - `offset-gap`: no batch holds these offsets. Compaction leaves such gaps.
 * - `log-too-short`: the log ends below what is known to be flushed.
 * - `segment-missing`: a segment's `.log` is gone.
 *
 * About what is derived from them:
 * - `digest-corrupt`, `digest-mismatch`: the digest, or the segment that it should describe.
 * - `index-missing`, `index-corrupt`, `index-mismatch`, `index-incomplete`, `index-padded`: an
 *   `.index`, `.timeindex` or `.txnindex`.
 * - `producer-snapshot-corrupt`, `producer-snapshot-mismatch`.
 * - `leader-epochs-corrupt`, `leader-epochs-mismatch`.
 *
 * About the rest:
 * - `partition-metadata-corrupt`, `partition-metadata-mismatch`.
 * - `progress-corrupt`.
 * - `checkpoint-corrupt`, `checkpoint-mismatch`: a checkpoint file of the data directory.
 * - `leftover`: a file that an interrupted replacement, deletion or repair left.
 * - `unreadable`: the file system refused to read.
 * - `findings-omitted`: a segment has more findings than are listed.
 */
export type FindingCode =
  | 'batch-corrupt'
  | 'header-altered'
  | 'batch-misplaced'
  | 'records-corrupt'
  | 'records-unchecked'
  | 'torn-tail'
  | 'trailing-bytes'
  | 'preallocated'
  | 'offset-gap'
  | 'log-too-short'
  | 'segment-missing'
  | 'digest-corrupt'
  | 'digest-mismatch'
  | 'index-missing'
  | 'index-corrupt'
  | 'index-mismatch'
  | 'index-incomplete'
  | 'index-padded'
  | 'producer-snapshot-corrupt'
  | 'producer-snapshot-mismatch'
  | 'leader-epochs-corrupt'
  | 'leader-epochs-mismatch'
  | 'partition-metadata-corrupt'
  | 'partition-metadata-mismatch'
  | 'progress-corrupt'
  | 'checkpoint-corrupt'
  | 'checkpoint-mismatch'
  | 'leftover'
  | 'unreadable'
  | 'findings-omitted'

/** One thing that verifying found. Plain data. */
export interface Finding {
  readonly severity: Severity
  readonly code: FindingCode
  readonly path: string
  /** Where in the file the stretch concerned begins. */
  readonly position: FilePosition
  /** Length of that stretch; 0 when the finding is about the file as a whole. */
  readonly sizeBytes: number
  /** The first offset concerned; null when the finding is about no offsets. */
  readonly firstOffset: Offset | null
  /** The last offset concerned; null where it is not known. */
  readonly lastOffset: Offset | null
  /** What is wrong, without the place. */
  readonly message: string
}

/** A finding with what it need not say left out. */
export type FindingDetails = Pick<Finding, 'severity' | 'code' | 'path' | 'message'> &
  Partial<Finding>

export function finding(details: FindingDetails): Finding {
  const { severity, code, path, message } = details
  const { position = 0, sizeBytes = 0, firstOffset = null, lastOffset = null } = details
  return { severity, code, path, position, sizeBytes, firstOffset, lastOffset, message }
}

/** What an error says is wrong, without the path where it says that apart. */
export function reasonOf(error: VarveError): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : null
  if (reason === null) return error.message
  return 'line' in error ? `line ${error.line}: ${reason}` : reason
}
