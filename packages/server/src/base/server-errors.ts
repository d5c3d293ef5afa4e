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
/** A listener would let anybody on the network in, and nobody has said that it shall. */
export class InsecureListenerError extends VarveError {
  readonly code = 'VARVE_INSECURE_LISTENER'
  /** As `0.0.0.0:9092`. */
  readonly address: string

  constructor(address: string) {
    super(`whoever reaches ${address} would be let in without being asked who it is`, {
      hint:
        'have clients log in (SASL_SSL, or SSL with required certificates), listen on 127.0.0.1, ' +
        'or say that it is meant: allowsAnonymousNetworkClients',
    })
    this.address = address
  }
}

/** The certificate, key or authorities of a listener cannot be used. */
export class CertificateError extends VarveError {
  readonly code = 'VARVE_CERTIFICATE'
  readonly path: string
  readonly reason: string

  constructor(path: string, reason: string, cause?: unknown) {
    super(`${path} cannot be used for TLS: ${reason}`, { cause })
    this.path = path
    this.reason = reason
  }
}

/** A client asks before it has said who it is, or after its session has ended. */
export class NotLoggedInError extends VarveError {
  readonly code = 'VARVE_NOT_LOGGED_IN'
  readonly kafkaErrorCode = 34

  constructor(apiName: string) {
    super(`${apiName} was asked for by a client that has not logged in`)
  }
}

/** A client has given a wrong password, or something that is no login at all. */
export class LoginRefusedError extends VarveError {
  readonly code = 'VARVE_LOGIN_REFUSED'
  readonly kafkaErrorCode = 58
}

/** Another server has an access rule of a kind that is not known here. */
export class UnknownAclError extends VarveError {
  readonly code = 'VARVE_UNKNOWN_ACL'
  readonly reason: string

  constructor(reason: string) {
    super(`an access rule of the server is not understood: ${reason}`, {
      hint: 'look at it with the kafka-acls of the release that the server is of',
    })
    this.reason = reason
  }
}
