import { VarveError } from '@varve/record'

/** A restore cannot be done as it was asked for; nothing was changed. */
export class RestoreRefusedError extends VarveError {
  readonly code = 'VARVE_RESTORE_REFUSED'

  constructor(message: string, hint?: string) {
    super(message, hint === undefined ? {} : { hint })
  }
}
