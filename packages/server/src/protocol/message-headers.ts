import type { ApiDeclaration } from './api-declaration.ts'
import { isFlexibleIn } from './message-codec.ts'
import { type Decode, structDecoder } from './message-decoder.ts'
import { layoutOf } from './message-layout.ts'
import { MessageReader, WireDamage } from './message-reader.ts'
import type { MessageWriter } from './message-writer.ts'
import { MalformedMessageError } from './protocol-errors.ts'

/** What stands in front of every request. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  /** Chosen by the client; its response carries it back. */
  readonly correlationId: number
  /** What the client calls itself; null in header v0 too, which has none. */
  readonly clientId: string | null
  /** Where the header's fixed part ends; in flexible versions tagged fields follow. */
  readonly endsAt: number
}

const controlledShutdownKey = 7
const apiVersionsKey = 18

/**
 * The version of the header in front of a request: 2 with tagged fields, 1, or 0 without the
 * client's name, which only the first version of ControlledShutdown has.
 */
export function requestHeaderVersion(apiKey: number, version: number, isFlexible: boolean): number {
  if (apiKey === controlledShutdownKey && version === 0) return 0
  return isFlexible ? 2 : 1
}

/**
 * The version of the header in front of a response: 1 with tagged fields, or 0. Of ApiVersions it
 * is always 0, since a client that asks for it does not know yet which versions are understood.
 */
export function responseHeaderVersion(apiKey: number, isFlexible: boolean): number {
  return isFlexible && apiKey !== apiVersionsKey ? 1 : 0
}

/**
 * Reads the part of a request's header that all versions have, before it is known whether the API
 * it names is. The client's name has its classic length in flexible versions too.
 *
 * @throws MalformedMessageError
 */
export function readRequestHeader(frame: Buffer): RequestHeader {
  const reader = new MessageReader(frame, 0, 0)
  try {
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    const correlationId = reader.int32()
    const length =
      requestHeaderVersion(apiKey, apiVersion, false) === 0 ? -1 : reader.stringLength(false)
    const clientId = length === -1 ? null : reader.text(length)
    return { apiKey, apiVersion, correlationId, clientId, endsAt: reader.position }
  } catch (error) {
    throw asMalformed('request header', error)
  }
}

/** Where the body of a request begins whose header has been read. */
export function requestBodyAt(frame: Buffer, header: RequestHeader, api: ApiDeclaration): number {
  const isFlexible = isFlexibleIn(api, header.apiVersion)
  if (requestHeaderVersion(api.key, header.apiVersion, isFlexible) < 2) return header.endsAt
  // Clients send no tagged fields in headers.
  if (frame[header.endsAt] === 0) return header.endsAt + 1
  const reader = new MessageReader(frame, header.endsAt, 0)
  try {
    skipTaggedFields(reader)
    return reader.position
  } catch (error) {
    throw asMalformed('request header', error)
  }
}

export function writeRequestHeader(
  writer: MessageWriter,
  api: ApiDeclaration,
  version: number,
  origin: { readonly correlationId: number; readonly clientId: string | null },
): void {
  const headerVersion = requestHeaderVersion(api.key, version, isFlexibleIn(api, version))
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(origin.correlationId)
  if (headerVersion > 0) writer.string(origin.clientId, false)
  if (headerVersion > 1) writer.unsignedVarint(0)
}

export function readResponseHeader(
  frame: Buffer,
  api: ApiDeclaration,
  version: number,
  messageName: string,
): { readonly correlationId: number; readonly bodyAt: number } {
  const reader = new MessageReader(frame, 0, 0)
  try {
    const correlationId = reader.int32()
    const headerVersion = responseHeaderVersion(api.key, isFlexibleIn(api, version))
    if (headerVersion > 0) skipTaggedFields(reader)
    return { correlationId, bodyAt: reader.position }
  } catch (error) {
    throw asMalformed(messageName, error)
  }
}

export function writeResponseHeader(
  writer: MessageWriter,
  api: ApiDeclaration,
  version: number,
  correlationId: number,
): void {
  writer.int32(correlationId)
  const headerVersion = responseHeaderVersion(api.key, isFlexibleIn(api, version))
  if (headerVersion > 0) writer.unsignedVarint(0)
}

/** Headers have no tagged fields yet that would be known. */
const skipTaggedFields: Decode = structDecoder(layoutOf({}, 0, true))

/** Damage as callers see it; other errors stay what they are. */
export function asMalformed(messageName: string, error: unknown): unknown {
  if (!(error instanceof WireDamage)) return error
  const field = error.path.join('.').replaceAll('.[', '[')
  return new MalformedMessageError(messageName, field, error.position, error.message)
}
