import { VarveError } from '@varve/record'

/** A replay cannot go on where it stopped, or cannot begin. Nothing was replayed. */
export class ReplayRefusedError extends VarveError {
  readonly code = 'VARVE_REPLAY_REFUSED'

  constructor(reason: string, hint: string) {
    super(reason, { hint })
  }
}
