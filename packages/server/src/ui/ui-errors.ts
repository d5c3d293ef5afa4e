import { VarveError } from '@varve/record'

/** The page, or something that speaks in its place, asked for what cannot be given. */
export class UiRequestError extends VarveError {
  readonly code = 'VARVE_UI_REQUEST'
  /** Of HTTP. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
