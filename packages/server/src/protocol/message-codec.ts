import type { ApiDeclaration, FieldDeclarations } from './api-declaration.ts'
import { type Decode, structDecoder } from './message-decoder.ts'
import { type Encode, structEncoder } from './message-encoder.ts'
import { layoutOf } from './message-layout.ts'
import { parseVersionRange, type VersionRange } from './version-range.ts'

/** What reads and writes a message in one version. */
export interface MessageCodec {
  /** For errors: `Fetch v12 request`. */
  readonly messageName: string
  readonly isFlexible: boolean
  readonly decode: Decode
  readonly encode: Encode
}

export type MessageKind = 'request' | 'response'

/** Put together when a version is first met: a program meets few of them. */
const codecs = new WeakMap<FieldDeclarations, Map<number, MessageCodec>>()

/** The codec of a request or response; the version must be one of the API's. */
export function codecOf(api: ApiDeclaration, kind: MessageKind, version: number): MessageCodec {
  const declarations = api[kind]
  const byVersion = codecs.get(declarations)
  const known = byVersion?.get(version)
  if (known !== undefined) return known
  const isFlexible = isFlexibleIn(api, version)
  const layout = layoutOf(declarations, version, isFlexible)
  const codec: MessageCodec = {
    messageName: `${api.name} v${version} ${kind}`,
    isFlexible,
    decode: structDecoder(layout),
    encode: structEncoder(layout),
  }
  if (byVersion === undefined) codecs.set(declarations, new Map([[version, codec]]))
  else byVersion.set(version, codec)
  return codec
}

export function isFlexibleIn(api: ApiDeclaration, version: number): boolean {
  return api.flexibleFrom !== null && version >= api.flexibleFrom
}

const ranges = new WeakMap<ApiDeclaration, VersionRange>()

export function versionsOf(api: ApiDeclaration): VersionRange {
  const known = ranges.get(api)
  if (known !== undefined) return known
  const range = parseVersionRange(api.versions)
  ranges.set(api, range)
  return range
}
