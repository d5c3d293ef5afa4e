import { InvalidArgumentError } from '@varve/record'
import { type KafkaError, toldError } from '../base/kafka-error.ts'
import { RequestRefusedError } from '../base/server-errors.ts'
import { type ErrorName, errorCodes } from '../protocol/error-codes.ts'

/** What is told of a part of a request that was done. */
export const done: { readonly errorCode: number; readonly errorMessage: null } = {
  errorCode: errorCodes.NONE,
  errorMessage: null,
}

/** For a part of a request that the caller may not ask for. */
export function unauthorized(
  name: Extract<ErrorName, `${'TOPIC' | 'GROUP' | 'CLUSTER'}_AUTHORIZATION_FAILED`>,
): RequestRefusedError {
  return new RequestRefusedError(name, 'authorization failed')
}

/**
 * What is told of a part of a request that was not done. An argument of Varve's that is wrong is a
 * setting, since whatever else there is has been looked at before.
 */
export function refusal(error: unknown): KafkaError {
  if (!(error instanceof InvalidArgumentError)) return toldError(error)
  return { errorCode: errorCodes.INVALID_CONFIG, errorMessage: error.message }
}

/** Those that a request names more than once: nothing of them is done. */
export function duplicatesIn(names: Iterable<string>): ReadonlySet<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) (seen.has(name) ? twice : seen).add(name)
  return twice
}
