import type { Api } from './apis.ts'
import { apiByKey } from './apis.ts'
import { versionsOf } from './message-codec.ts'
import { type RequestHeader, readRequestHeader, requestBodyAt } from './message-headers.ts'
import { UnsupportedApiError } from './protocol-errors.ts'
import { includesVersion } from './version-range.ts'

/** A request of which it is known what it is; `decodeRequest` reads the rest. */
export interface IncomingRequest {
  readonly header: RequestHeader
  readonly api: Api
  readonly frame: Buffer
  /** Where its body begins in the frame. */
  readonly bodyAt: number
}

/**
 * What a frame asks for. Nothing of the body is looked at: whether the API is offered, and to this
 * client, can be decided first.
 *
 * @throws MalformedMessageError
 * @throws UnsupportedApiError the API or its version is not declared. To ApiVersions there is an
 * answer all the same, in the form of version 0; for others the connection has to end, since their
 * answers could not be read.
 */
export function openRequest(frame: Buffer): IncomingRequest {
  const header = readRequestHeader(frame)
  const api = apiByKey(header.apiKey)
  if (api === undefined || !includesVersion(versionsOf(api), header.apiVersion)) {
    const what = api === undefined ? `the API with key ${header.apiKey}` : api.name
    throw new UnsupportedApiError(what, header)
  }
  return { header, api, frame, bodyAt: requestBodyAt(frame, header, api) }
}
