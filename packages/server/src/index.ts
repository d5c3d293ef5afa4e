/**
 * A data directory served over Kafka's wire protocol; and the protocol itself: its messages as
 * data, what encodes and decodes them, and frames.
 *
 * @module
 */
export type { AdvertisedAddress } from './base/client.ts'
export type { ConnectionLimits } from './base/connection-limits.ts'
export type { HttpOptions } from './base/http-options.ts'
export type {
  ListenerOptions,
  ListenerProtocol,
  SaslMechanism,
  TlsListenerOptions,
} from './base/listener-options.ts'
export {
  CertificateError,
  CorruptServerStateError,
  InsecureListenerError,
  ListenError,
  UnknownAclError,
} from './base/server-errors.ts'
export type { AccessWithoutAcls, ServerOptions } from './base/server-options.ts'
export type { UiOptions } from './base/ui-options.ts'
export {
  type NamedAddress,
  parseAddress,
} from './properties/listener-addresses.ts'
export { type Property, parseAssignment, parseProperties } from './properties/properties-text.ts'
export { type ConfiguredServer, configureServer } from './properties/server-properties.ts'
export type {
  ApiDeclaration,
  Decoded,
  Encodable,
  FieldDeclaration,
  FieldDeclarations,
  NestedStruct,
  RequestOf,
  ResponseOf,
  StructArray,
} from './protocol/api-declaration.ts'
export { type Api, type ApiName, type ApiNamed, apiByKey, apiNamed, apis } from './protocol/apis.ts'
export {
  type ErrorName,
  errorCodes,
  errorMessages,
  errorNameOf,
  isRetriable,
} from './protocol/error-codes.ts'
export { FrameSplitter } from './protocol/frame-splitter.ts'
export type { RequestHeader } from './protocol/message-headers.ts'
export {
  type DecodeOptions,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from './protocol/messages.ts'
export {
  FrameSizeError,
  MalformedMessageError,
  UnsupportedApiError,
} from './protocol/protocol-errors.ts'
export { type IncomingRequest, openRequest } from './protocol/requests.ts'
export type { Acl, AclFilter, AclPattern } from './security/acl.ts'
export { securityOfCluster } from './security/cluster-security.ts'
export type { ScramMechanism } from './security/scram-credential.ts'
export type {
  AddUserOptions,
  SecurityAdministration,
  SecurityListing,
  UserInfo,
} from './security/security-administration.ts'
export { readSecurity, type SecurityStore, securityOf } from './security/security-store.ts'
export { type Server, startServer } from './server.ts'
