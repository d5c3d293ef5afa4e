import fc from 'fast-check'
import type { ApiDeclaration, ScalarName } from '../../src/protocol/api-declaration.ts'
import type { MessageKind } from '../../src/protocol/message-codec.ts'
import {
  type FieldLayout,
  layoutOf,
  type StructLayout,
  type TypeLayout,
} from '../../src/protocol/message-layout.ts'
import { parseVersionRange } from '../../src/protocol/version-range.ts'

/** A message as a decoder gives it: every field is there, those of other versions by default. */
export type Message = Readonly<Record<string, unknown>>

const int64 = fc.oneof(
  fc.constantFrom(-1, 0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 32, -(2 ** 32)),
  fc.maxSafeInteger(),
)
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
// Lone surrogates have no UTF-8, so they would come back as something else.
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 30 }).filter(isWellFormed),
)

const scalars: Readonly<Record<ScalarName, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int32: fc.oneof(fc.constantFrom(-(2 ** 31), 2 ** 31 - 1), fc.integer()),
  int64,
  clampedInt64: int64,
  // Integers look like integers in JSON, where Kafka does not take them for doubles.
  float64: fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
  string: text,
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((array) => Buffer.from(array).toString('base64url')),
  bytes,
  records: bytes,
}

function isWellFormed(value: string): boolean {
  return Buffer.from(value).toString() === value
}

/** The messages that a version can carry. */
export function messageArbitrary(
  api: ApiDeclaration,
  kind: MessageKind,
  version: number,
): fc.Arbitrary<Message> {
  const isFlexible = api.flexibleFrom !== null && version >= api.flexibleFrom
  return structArbitrary(layoutOf(api[kind], version, isFlexible))
}

export function versionsIn(api: ApiDeclaration): readonly number[] {
  const { first, last } = parseVersionRange(api.versions)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function structArbitrary(layout: StructLayout): fc.Arbitrary<Message> {
  const present = [...layout.fields, ...layout.tagged]
  const fields = Object.fromEntries(present.map((field) => [field.name, fieldArbitrary(field)]))
  return fc.record(fields).map((message) => ({ ...layout.defaults, ...message }))
}

function fieldArbitrary({ type, isNullable }: FieldLayout): fc.Arbitrary<unknown> {
  const value = valueArbitrary(type)
  return isNullable ? fc.option(value, { nil: null, freq: 4 }) : value
}

function valueArbitrary(type: TypeLayout): fc.Arbitrary<unknown> {
  if (type.kind === 'scalar') return scalars[type.of]
  if (type.kind === 'struct') return structArbitrary(type.struct)
  return fc.array(valueArbitrary(type.element), { maxLength: 3 })
}
