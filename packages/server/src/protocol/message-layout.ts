import { strict as assert } from 'node:assert'
import type { FieldDeclaration, FieldDeclarations, ScalarName } from './api-declaration.ts'
import { includesVersion, parseVersionRange } from './version-range.ts'

// What one version of a message looks like: declarations with everything about other versions
// taken out. Decoders, encoders and tests are made from layouts.

export interface StructLayout {
  /** Lengths are compact, and tagged fields follow the others. */
  readonly isFlexible: boolean
  /** In the order in which they are sent. */
  readonly fields: readonly FieldLayout[]
  /** By rising tag. */
  readonly tagged: readonly TaggedLayout[]
  /** Every field of the declaration with its default, in its order. */
  readonly defaults: Readonly<Record<string, unknown>>
  /** Bytes that one takes at least. */
  readonly minBytes: number
}

export interface FieldLayout {
  readonly name: string
  readonly type: TypeLayout
  readonly isNullable: boolean
  /** What is meant when the field is not given. */
  readonly fallback: unknown
}

export interface TaggedLayout extends FieldLayout {
  readonly tag: number
}

export type TypeLayout =
  | { readonly kind: 'scalar'; readonly of: ScalarName }
  | { readonly kind: 'array'; readonly element: TypeLayout }
  | { readonly kind: 'struct'; readonly struct: StructLayout }

/** The layout of a message, or of a structure in it, in one version. */
export function layoutOf(
  declarations: FieldDeclarations,
  version: number,
  isFlexible: boolean,
): StructLayout {
  const fields: FieldLayout[] = []
  const tagged: TaggedLayout[] = []
  const defaults: Record<string, unknown> = {}
  for (const [name, declaration] of Object.entries(declarations)) {
    const parsed = parseField(declaration)
    const fallback = defaultOf(parsed, version, isFlexible)
    defaults[name] = fallback
    if (!includesVersion(parseVersionRange(parsed.versions), version)) continue
    const isNullable =
      parsed.nullable !== null && includesVersion(parseVersionRange(parsed.nullable), version)
    const field = { name, type: typeOf(parsed, version, isFlexible), isNullable, fallback }
    if (parsed.tag === null) fields.push(field)
    else tagged.push({ ...field, tag: parsed.tag })
  }
  if (tagged.length > 0 && !isFlexible) assert.fail('only flexible versions have tagged fields')
  tagged.sort((one, other) => one.tag - other.tag)
  const minBytes = fields.reduce((sum, field) => sum + minBytesOfField(field, isFlexible), 0)
  return { isFlexible, fields, tagged, defaults, minBytes: minBytes + (isFlexible ? 1 : 0) }
}

/** A declaration in its parts; `of` is a scalar's name or the fields of a structure. */
interface ParsedField {
  readonly of: ScalarName | FieldDeclarations
  readonly isArray: boolean
  readonly versions: string
  readonly nullable: string | null
  readonly tag: number | null
  readonly fallback: string | null
}

const allVersions = '0+'
const fieldPattern =
  /^(\w+)(\[\])?(\?)?(\d+\+|\d+-\d+)?(?: (\d+(?:\+|-\d+)?))?(?: tag (\d+))?(?: = (.+))?$/

function parseField(declaration: FieldDeclaration): ParsedField {
  if (typeof declaration !== 'string') {
    const isArray = 'each' in declaration
    return {
      of: isArray ? declaration.each : declaration.struct,
      isArray,
      versions: declaration.in ?? allVersions,
      nullable: declaration.nullable ?? null,
      tag: declaration.tag ?? null,
      fallback: null,
    }
  }
  const match = fieldPattern.exec(declaration)
  const [, of, array, question, nullable, versions, tag, fallback] = match ?? []
  if (of === undefined || !isScalarName(of)) assert.fail('a field has a known type')
  return {
    of,
    isArray: array !== undefined,
    versions: versions ?? allVersions,
    nullable: question === undefined ? null : (nullable ?? allVersions),
    tag: tag === undefined ? null : Number(tag),
    fallback: fallback ?? null,
  }
}

function typeOf(parsed: ParsedField, version: number, isFlexible: boolean): TypeLayout {
  const element: TypeLayout =
    typeof parsed.of === 'string'
      ? { kind: 'scalar', of: parsed.of }
      : { kind: 'struct', struct: layoutOf(parsed.of, version, isFlexible) }
  return parsed.isArray ? { kind: 'array', element } : element
}

const noElements: readonly unknown[] = Object.freeze([])
const noBytes: Buffer = Buffer.alloc(0)

/** The zero of each type, and the bytes that it takes at least, in classic and compact form. */
const scalars: Readonly<Record<ScalarName, readonly [unknown, number, number]>> = {
  bool: [false, 1, 1],
  int8: [0, 1, 1],
  int16: [0, 2, 2],
  uint16: [0, 2, 2],
  int32: [0, 4, 4],
  int64: [0, 8, 8],
  clampedInt64: [0, 8, 8],
  float64: [0, 8, 8],
  uuid: ['A'.repeat(22), 16, 16],
  string: ['', 2, 1],
  bytes: [noBytes, 4, 1],
  records: [noBytes, 4, 1],
}

function isScalarName(name: string): name is ScalarName {
  return Object.hasOwn(scalars, name)
}

function defaultOf(parsed: ParsedField, version: number, isFlexible: boolean): unknown {
  const { of, fallback } = parsed
  if (fallback !== null) return literalOf(of, fallback)
  if (parsed.nullable !== null) return null
  if (parsed.isArray) return noElements
  return typeof of === 'string' ? scalars[of][0] : layoutOf(of, version, isFlexible).defaults
}

/** A default as it stands in a declaration, which is as in JSON; the uuid of nothing is 0. */
function literalOf(of: ScalarName | FieldDeclarations, text: string): unknown {
  if (of === 'uuid' && text === '0') return scalars.uuid[0]
  const value: unknown = JSON.parse(text)
  const type = of === 'bool' ? 'boolean' : of === 'string' ? 'string' : 'number'
  if (value !== null && typeof value !== type) assert.fail('a default has the type of its field')
  return value
}

/** A structure that may be null has a byte of its own that says so. */
function minBytesOfField({ type, isNullable }: FieldLayout, isFlexible: boolean): number {
  return isNullable && type.kind === 'struct' ? 1 : minBytesOf(type, isFlexible)
}

/** Bytes that a value takes at least; a null that is not a structure takes as many. */
export function minBytesOf(type: TypeLayout, isFlexible: boolean): number {
  if (type.kind === 'array') return isFlexible ? 1 : 4
  if (type.kind === 'scalar') return scalars[type.of][isFlexible ? 2 : 1]
  return type.struct.minBytes
}
