import type { Offset } from '@varve/record'
import { CorruptRepositoryError, MissingObjectError, TargetError } from '../base/backup-errors.ts'

/** Something in the repository that is not as it must be. */
export interface RepositoryFinding {
  /**
   * - `missing`: a file that is needed is not there.
   * - `damaged`: it is not what was written, or cannot be read.
   * - `gap`: the source had not all of it when the backup was taken.
   * - `history`: another manifest than the one that was there when the next backup was taken.
   */
  readonly code: 'missing' | 'damaged' | 'gap' | 'history'
  /** The file's key. */
  readonly key: string
  /** Null where it is about the whole repository. */
  readonly backupId: string | null
  /** Which records it is about; null where it is about the whole backup. */
  readonly records: RecordRange | null
  readonly message: string
}

export interface RecordRange {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly to: Offset
}

/** The storage has lost what it had: one file, not the whole of it. */
const lostCodes = ['EIO', 'EUCLEAN', 'EBADMSG']

/**
 * What an error says of the repository. The error again when it says nothing of that, but of the
 * one who asked or of the way to it.
 *
 * @param key of the file that was asked for; the one that is at fault may be another
 */
export function findingOf(
  error: unknown,
  key: string,
  backupId: string | null,
  records: RecordRange | null,
): RepositoryFinding {
  const about = { backupId, records }
  if (error instanceof MissingObjectError) {
    return { code: 'missing', key: keyOf(error.key, key), ...about, message: error.message }
  }
  if (error instanceof CorruptRepositoryError) {
    return { code: 'damaged', key: keyOf(error.key, key), ...about, message: error.message }
  }
  if (error instanceof TargetError && isLost(error.cause)) {
    return { code: 'damaged', key, ...about, message: error.message }
  }
  throw error
}

/** Some errors name what is in a file, and not the file. */
function keyOf(named: string, asked: string): string {
  return named.includes('/') ? named : asked
}

function isLost(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return lostCodes.includes(code)
}
