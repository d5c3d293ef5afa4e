import { VarveError } from '@varve/record'

/** What was sent without a wish for an answer has failed: only the end of the connection tells. */
export class UnansweredError extends VarveError {
  readonly code = 'VARVE_UNANSWERED'
  readonly errorCode: number

  constructor({ errorCode, errorMessage }: { errorCode: number; errorMessage?: string | null }) {
    super(`a batch with acks 0 was refused: ${errorMessage ?? `Kafka's error ${errorCode}`}`)
    this.errorCode = errorCode
  }
}
