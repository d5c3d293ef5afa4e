import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { offeredVersions } from '../net/unsupported-version.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { errorCodes } from '../protocol/error-codes.ts'

/** What Kafka lets clients call themselves. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions: what is offered. No features are named: transactions of their second version are
 * used by clients that see that feature.
 *
 * @param handlers those of all APIs, this one included once it is known
 */
export function apiVersionsHandler(handlers: ReadonlyMap<number, ApiHandler>): ApiHandler {
  const options = { versions: '0-4', isForStrangers: true }
  return handlerOf(apiVersions, options, ({ version, client }, request) => {
    const { clientSoftwareName: name, clientSoftwareVersion } = request
    if (version >= 3) {
      if (!softwarePattern.test(name) || !softwarePattern.test(clientSoftwareVersion)) {
        return { errorCode: errorCodes.INVALID_REQUEST, apiKeys: [] }
      }
      client.software = { name, version: clientSoftwareVersion }
    }
    return { errorCode: errorCodes.NONE, apiKeys: offeredVersions(handlers) }
  })
}
