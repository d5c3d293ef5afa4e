/**
 * A data directory served to Kafka's clients. Apart from the rest of the library, so that programs
 * that serve nothing do not load it.
 *
 * @example
 * ```ts
 * import { startServer } from 'varve/server'
 *
 * await using server = await startServer({ memory: true, port: 0 })
 * console.log(server.bootstrapServers)
 * ```
 *
 * @module
 */
export {
  type AccessWithoutAcls,
  type Acl,
  type AclFilter,
  type AclPattern,
  type AddUserOptions,
  type AdvertisedAddress,
  CertificateError,
  type ConfiguredServer,
  type ConnectionLimits,
  CorruptServerStateError,
  configureServer,
  type HttpOptions,
  InsecureListenerError,
  ListenError,
  type ListenerOptions,
  type ListenerProtocol,
  parseProperties,
  readSecurity,
  type SaslMechanism,
  type ScramMechanism,
  type SecurityAdministration,
  type SecurityListing,
  type SecurityStore,
  type Server,
  type ServerOptions,
  securityOf,
  securityOfCluster,
  startServer,
  type TlsListenerOptions,
  type UiOptions,
  UnknownAclError,
  type UserInfo,
} from '@varve/server'
