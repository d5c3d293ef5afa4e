import { VarveError } from '@varve/record'

/** A plan of backups says something that cannot be done. */
export class InvalidPlanError extends VarveError {
  readonly code = 'VARVE_INVALID_PLAN'
  readonly file: string
  /** Which field, like `.repositories[1].keep.last`; empty for all of it. */
  readonly path: string

  constructor(file: string, path: string, reason: string, options: { cause?: unknown } = {}) {
    super(`the plan ${file}: ${path === '' ? 'it' : path} ${reason}`, {
      ...options,
      hint: 'docs/backup.md says what a plan may have',
    })
    this.file = file
    this.path = path
  }
}
