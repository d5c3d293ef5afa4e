import { VarveError } from '@varve/record'
import { type ErrorName, errorCodes } from '../protocol/error-codes.ts'

/** The file in which a server keeps what it knows beside topics is damaged. */
export class CorruptServerStateError extends VarveError {
  readonly code = 'VARVE_CORRUPT_SERVER_STATE'
  readonly path: string
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`${path} is damaged: ${reason}`)
    this.path = path
    this.reason = reason
  }
}

/** A server cannot listen where it was told to. */
export class ListenError extends VarveError {
  readonly code = 'VARVE_LISTEN'
  /** As `127.0.0.1:9092`. */
  readonly address: string

  constructor(address: string, reason: string, cause?: unknown) {
    super(`cannot listen on ${address}: ${reason}`, { cause })
    this.address = address
  }
}

/** What a client asks for is not done, and it is told why: one part of a request, mostly. */
export class RequestRefusedError extends VarveError {
  readonly code = 'VARVE_REQUEST_REFUSED'
  readonly kafkaErrorCode: number

  constructor(name: ErrorName, message: string) {
    super(message)
    this.kafkaErrorCode = errorCodes[name]
  }
}
