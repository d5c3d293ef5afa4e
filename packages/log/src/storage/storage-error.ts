import { VarveError } from '@varve/record'
import { isSystemError } from './file-system.ts'

/**
 * A call to the file system failed, and nothing else depends on it: the log goes on (Kafka:
 * KAFKA_STORAGE_ERROR). A failure that leaves the log in doubt is a LogOfflineError.
 */
export class StorageError extends VarveError {
  readonly code = 'VARVE_STORAGE'
  readonly kafkaErrorCode = 56

  constructor(doing: string, cause: Error) {
    super(`${doing} failed: ${cause.message}`, {
      cause,
      hint: 'the cause is the system’s error: mend the storage, then try again',
    })
  }
}

/** A system error in our words; every other error as it is. */
export function inOurWords(doing: string, error: unknown): unknown {
  const isOfSystem = error instanceof Error && ('syscall' in error || 'errno' in error)
  const isIncomplete = isSystemError(error, 'EIO', 'EFBIG')
  if (error instanceof VarveError || !(isOfSystem || isIncomplete)) return error
  return new StorageError(doing, error as Error)
}

/** Whether it is an error that callers may meet, and no mistake of this program. */
export function isOurError(error: unknown): boolean {
  return inOurWords('', error) instanceof VarveError
}

/** Runs something that calls the file system, and tells of its failure in our words. */
export async function withOurErrors<Result>(
  doing: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    throw inOurWords(doing, error)
  }
}
