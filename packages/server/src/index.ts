/**
 * Kafka's wire protocol: its messages as data, what encodes and decodes them, and frames. Nothing
 * is served yet.
 *
 * @module
 */
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
