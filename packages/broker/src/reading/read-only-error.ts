import { VarveError } from '@varve/record'

/** What was asked for changes a data directory that is only read. */
export class ReadOnlyError extends VarveError {
  readonly code = 'VARVE_READ_ONLY'
  readonly path: string

  constructor(path: string, what: string) {
    super(`${path} is only read: ${what}`, {
      hint: 'let the process that has the directory open do it, or close it and use openVarve',
    })
    this.path = path
  }
}
