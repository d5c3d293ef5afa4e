import { VarveError } from '@varve/record'

/** What is wrong with one record of a batch. */
export interface RecordProblem {
  /** The how manyeth of the batch, from 0 on. */
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
}

/** A batch that a client has sent breaks a rule of its topic, or of the protocol. */
export class RefusedBatchError extends VarveError {
  readonly code = 'VARVE_REFUSED_BATCH'
  readonly kafkaErrorCode: number
  /** Which records, where it is their fault; the first ones. */
  readonly problems: readonly RecordProblem[]

  constructor(kafkaErrorCode: number, reason: string, problems: readonly RecordProblem[] = []) {
    super(reason)
    this.kafkaErrorCode = kafkaErrorCode
    this.problems = problems
  }
}
