import type { ApiHandler } from '../base/api-handler.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { encodeResponse } from '../protocol/messages.ts'
import type { UnsupportedApiError } from '../protocol/protocol-errors.ts'

/** What is offered, in the form in which ApiVersions tells it. */
export function offeredVersions(
  handlers: ReadonlyMap<number, ApiHandler>,
): { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[] {
  return [...handlers.values()]
    .map(({ api, advertised: { first, last } }) => {
      return { apiKey: api.key, minVersion: first, maxVersion: last }
    })
    .sort((one, other) => one.apiKey - other.apiKey)
}

/**
 * The answer to ApiVersions in a version that is not known, in the form of version 0, which every
 * client reads; null for other APIs, to which there is none. All APIs are listed, since some
 * clients take what is not for not offered.
 */
export function unsupportedVersionAnswer(
  { apiKey, correlationId }: UnsupportedApiError,
  handlers: ReadonlyMap<number, ApiHandler>,
): readonly Uint8Array[] | null {
  if (apiKey !== apiVersions.key) return null
  return encodeResponse(apiVersions, 0, correlationId, {
    errorCode: errorCodes.UNSUPPORTED_VERSION,
    apiKeys: offeredVersions(handlers),
  })
}
