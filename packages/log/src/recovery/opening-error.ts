import { VarveError } from '@varve/record'
import { LogOfflineError } from '../base/log-errors.ts'

/** What kept a log from opening, as an error of ours; a mistake of ours is thrown on. */
export function openingError(name: string, error: unknown): VarveError {
  if (error instanceof VarveError) return error
  const isSystemError = error instanceof Error && 'code' in error && 'syscall' in error
  if (isSystemError || (error instanceof Error && 'errno' in error)) {
    return new LogOfflineError(name, 'opening', error)
  }
  throw error
}
