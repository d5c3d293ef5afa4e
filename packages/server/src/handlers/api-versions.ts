import { type ApiHandler, handlerOf } from '../base/api-handler.ts'
import { shortName } from '../base/short-name.ts'
import { offeredVersions } from '../net/unsupported-version.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { errorCodes } from '../protocol/error-codes.ts'

const featuresSince = 3
const zeroLevelsSince = 4
/** Kafka's group.version with which there is the consumer protocol (KIP-848). */
const groupVersion = 1

/** What Kafka lets clients call themselves. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions: what is offered. Of Kafka's features only that of the consumer protocol is named:
 * transactions of their second version are used by clients that see that feature.
 *
 * @param handlers those of all APIs, this one included once it is known
 */
export function apiVersionsHandler(handlers: ReadonlyMap<number, ApiHandler>): ApiHandler {
  const options = { versions: '0-4', isForStrangers: true }
  return handlerOf(apiVersions, options, ({ version: ofRequest, client }, request) => {
    const { clientSoftwareName: name, clientSoftwareVersion } = request
    if (ofRequest >= 3) {
      if (!softwarePattern.test(name) || !softwarePattern.test(clientSoftwareVersion)) {
        return { errorCode: errorCodes.INVALID_REQUEST, apiKeys: [] }
      }
      const version = shortName(clientSoftwareVersion)
      client.software = { name: shortName(name), version }
    }
    const features = ofRequest >= featuresSince ? featuresOf(ofRequest) : {}
    return { errorCode: errorCodes.NONE, apiKeys: offeredVersions(handlers), ...features }
  })
}

function featuresOf(version: number) {
  const name = 'group.version'
  // Older clients take a feature that may be at level 0 for a mistake: Kafka does not tell them.
  const supported = { name, minVersion: 0, maxVersion: groupVersion }
  return {
    supportedFeatures: version >= zeroLevelsSince ? [supported] : [],
    finalizedFeaturesEpoch: 1,
    finalizedFeatures: [{ name, minVersionLevel: groupVersion, maxVersionLevel: groupVersion }],
  }
}
