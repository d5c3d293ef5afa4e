import { VarveError } from '@varve/record'
import type { RequestHeader } from './message-headers.ts'

/** A frame says that it is larger than its connection accepts, or less than nothing. */
export class FrameSizeError extends VarveError {
  readonly code = 'VARVE_FRAME_SIZE'
  /** As the frame says. */
  readonly sizeBytes: number
  readonly limitBytes: number

  constructor(sizeBytes: number, limitBytes: number) {
    super(`a frame of ${sizeBytes} bytes is announced; 0 to ${limitBytes} are accepted`)
    this.sizeBytes = sizeBytes
    this.limitBytes = limitBytes
  }
}

/** The bytes of a request or response are not a message of the API and version they name. */
export class MalformedMessageError extends VarveError {
  readonly code = 'VARVE_MALFORMED_MESSAGE'
  /** What should be there: `Fetch v12 request`. */
  readonly messageName: string
  /** The field in which it was noticed, as `topics[3].partitions[0].partition`; may be empty. */
  readonly field: string
  /** Where in the frame, behind its size. */
  readonly position: number
  readonly reason: string

  constructor(messageName: string, field: string, position: number, reason: string) {
    const place = field === '' ? '' : `${field}, `
    super(`malformed ${messageName}: ${reason} (${place}byte ${position})`)
    this.messageName = messageName
    this.field = field
    this.position = position
    this.reason = reason
  }
}

/** A request names an API, or a version of one, that is not known here. */
export class UnsupportedApiError extends VarveError {
  readonly code = 'VARVE_UNSUPPORTED_API'
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly kafkaErrorCode = 35

  constructor(what: string, header: RequestHeader) {
    super(`version ${header.apiVersion} of ${what} is not supported`)
    this.apiKey = header.apiKey
    this.apiVersion = header.apiVersion
    this.correlationId = header.correlationId
  }
}
