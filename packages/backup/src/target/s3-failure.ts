/** Codes of S3 that say: the same request can succeed later. */
const retriableCodes: ReadonlySet<string> = new Set([
  'BadDigest',
  'BandwidthLimitExceeded',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'InternalError',
  'OperationAborted',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'XAmzContentSHA256Mismatch',
])

/** Node's codes for a connection that broke, or could not be made yet. */
const connectionCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
])

/** Of HTTP: time-out, too many requests, and the server's own failures but for 501 and 505. */
const retriableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 507, 509])

export interface S3FailureDetails {
  readonly code: string
  readonly isRetriable: boolean
  readonly httpStatus?: number | null
  readonly retryAfterMs?: number
  /** Whether the request may have been carried out all the same. */
  readonly isAmbiguous?: boolean
}

/**
 * What went wrong with a request, and nothing else: the library's own errors drag requests and
 * responses along, with what signs them.
 */
export class S3Failure extends Error {
  readonly code: string
  readonly httpStatus: number | null
  readonly isRetriable: boolean
  readonly isAmbiguous: boolean
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number

  constructor(message: string, details: S3FailureDetails) {
    super(message)
    this.name = 'S3Failure'
    this.code = details.code
    this.httpStatus = details.httpStatus ?? null
    this.isRetriable = details.isRetriable
    this.isAmbiguous = details.isAmbiguous ?? false
    this.retryAfterMs = details.retryAfterMs ?? 0
  }

  /** Of whatever the library threw. */
  static of(error: unknown): S3Failure {
    if (error instanceof S3Failure) return error
    const { name, code, httpStatus, retryAfter } = readError(error)
    const message = error instanceof Error ? error.message : String(error)
    if (httpStatus !== null && httpStatus >= 300) {
      const said = message === '' || message === 'UnknownError' ? '' : `: ${message}`
      return new S3Failure(`${name} (HTTP ${httpStatus})${said}`, {
        code: name,
        httpStatus,
        isRetriable: retriableStatuses.has(httpStatus) || retriableCodes.has(name),
        isAmbiguous: httpStatus >= 500 && httpStatus !== 501 && name !== 'SlowDown',
        retryAfterMs: retryAfterMsOf(retryAfter),
      })
    }
    // An answer that says success and cannot be read is a broken connection as well.
    const isBroken = httpStatus !== null || connectionCodes.has(code) || isBrokenBySound(name)
    return new S3Failure(message === '' ? code || name : message, {
      code: code === '' ? name : code,
      httpStatus,
      isRetriable: isBroken,
      isAmbiguous: isBroken,
    })
  }

  /** There is no such file; a missing bucket is something else. */
  get isMissing(): boolean {
    return this.httpStatus === 404 && this.code !== 'NoSuchBucket'
  }

  /** Somebody else was first to write the file. */
  get isConditionFailed(): boolean {
    return this.httpStatus === 412
  }

  /** The server does not know what was asked for. */
  get isUnsupported(): boolean {
    return this.httpStatus === 501 || this.code === 'NotImplemented'
  }
}

const isBrokenBySound = (name: string): boolean =>
  name === 'TimeoutError' || name === 'SyntaxError' || name === 'AbortError'

interface ErrorParts {
  readonly name: string
  readonly code: string
  readonly httpStatus: number | null
  readonly retryAfter: unknown
}

function readError(error: unknown): ErrorParts {
  const { name, code, Code, $metadata, $response } = Object(error) as Record<string, unknown>
  const { httpStatusCode } = Object($metadata) as Record<string, unknown>
  const { statusCode, headers } = Object($response) as Record<string, unknown>
  const status = httpStatusCode ?? statusCode
  // Without a body, as in answers to HEAD, there is no code but the status.
  const known = typeof Code === 'string' && Code !== '' ? Code : name
  return {
    name: typeof known === 'string' && known !== '' ? known : 'Error',
    code: typeof code === 'string' ? code : '',
    httpStatus: typeof status === 'number' ? status : null,
    retryAfter: (Object(headers) as Record<string, unknown>)['retry-after'],
  }
}

const retryAfterMsMax = 60_000

/** Seconds; dates, which nobody sends, do not count. */
function retryAfterMsOf(header: unknown): number {
  const seconds = typeof header === 'string' ? Number(header) : 0
  if (!Number.isFinite(seconds) || seconds < 0) return 0
  return Math.min(seconds * 1000, retryAfterMsMax)
}
