import { VarveError } from '@varve/record'
import { ClusterAuthenticationError, ClusterRefusedError } from './cluster-errors.ts'

/**
 * A broker could not be asked, or did not answer: perhaps it did what it was asked for. Seen only
 * as the cause of a ClusterUnavailableError.
 */
export class BrokerAwayError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'BrokerAwayError'
  }
}

/** What the client's errors have in common, as far as it concerns us. */
interface ClientError {
  readonly code?: unknown
  readonly message?: unknown
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
  readonly apiCode?: unknown
  readonly apiId?: unknown
  readonly serverErrorMessage?: unknown
}

/** An error of the client's as ours: refused by the cluster, or not answered. */
export function inOurWords(error: unknown): unknown {
  if (error instanceof VarveError || error instanceof BrokerAwayError) return error
  const client = (typeof error === 'object' && error !== null ? error : {}) as ClientError
  if (isAuthentication(client)) return new ClusterAuthenticationError(error)
  const refusal = refusalIn(client)
  if (refusal !== null) return refusal
  const message = deepestMessage(client)
  return new BrokerAwayError(message, error)
}

/**
 * An answer in which something was refused, with all that is in it: the client throws it, though
 * whoever asked for many things wants what there is of the others.
 */
export async function whole<Answer extends object>(asking: Promise<Answer>): Promise<Answer> {
  try {
    return await asking
  } catch (error) {
    const { response } = (error ?? {}) as { readonly response?: Answer }
    if (response === undefined) throw error
    return response
  }
}

/** The first of the client's errors that is an answer of a broker. */
function refusalIn(error: ClientError): ClusterRefusedError | null {
  if (typeof error.apiCode === 'number' && typeof error.apiId === 'string') {
    const { serverErrorMessage } = error
    const said = typeof serverErrorMessage === 'string' ? serverErrorMessage : ''
    return new ClusterRefusedError(error.apiCode, error.apiId, said)
  }
  for (const each of Array.isArray(error.errors) ? (error.errors as ClientError[]) : []) {
    const found = refusalIn(each)
    if (found !== null) return found
  }
  return null
}

const tlsCodes = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

function isAuthentication(error: ClientError): boolean {
  const { code } = error
  // An answer that did not come is no refusal.
  if (code === 'PLT_KFK_AUTHENTICATION') return deepest(error).code !== 'PLT_KFK_NETWORK'
  if (typeof code === 'string' && tlsCodes.test(code)) return true
  const { cause } = error
  return typeof cause === 'object' && cause !== null && isAuthentication(cause as ClientError)
}

function deepest(error: ClientError): ClientError {
  let at = error
  while (typeof at.cause === 'object' && at.cause !== null) at = at.cause as ClientError
  return at
}

/** What happened, rather than that something failed: "connect ECONNREFUSED 127.0.0.1:1". */
function deepestMessage(error: ClientError): string {
  const at = deepest(error)
  return typeof at.message === 'string' && at.message !== '' ? at.message : String(at.code)
}
