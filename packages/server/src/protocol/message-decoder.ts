import type { ScalarName } from './api-declaration.ts'
import type { FieldLayout, StructLayout, TypeLayout } from './message-layout.ts'
import { minBytesOf } from './message-layout.ts'
import { type MessageReader, WireDamage } from './message-reader.ts'

/** Reads one value. */
export type Decode = (reader: MessageReader) => unknown

/** The decoder of a message or structure, put together once; throws WireDamage. */
export function structDecoder(layout: StructLayout): Decode {
  const present = new Map(layout.fields.map((field) => [field.name, field]))
  // Fields of other versions too, so that a structure has one shape in all of them.
  const names = Object.keys(layout.defaults)
  const decoders = names.map((name) => {
    const field = present.get(name)
    const fallback = layout.defaults[name]
    return field === undefined ? () => fallback : fieldDecoder(field, layout.isFlexible)
  })
  const decodeTagged = layout.isFlexible ? taggedDecoder(layout) : null
  const count = names.length
  const Plain = plainClass()
  return (reader) => {
    const value = new Plain()
    let index = 0
    try {
      for (; index < count; index++) {
        value[names[index] as string] = (decoders[index] as Decode)(reader)
      }
    } catch (error) {
      throw inside(error, names[index] as string)
    }
    if (decodeTagged !== null) decodeTagged(reader, value)
    return value
  }
}

/**
 * A class of plain objects. One for each structure, since the engine learns from a class how much
 * room its objects need: filling them takes half the time that `{}` takes.
 */
function plainClass(): new () => Record<string, unknown> {
  const Plain = function Plain() {} as unknown as new () => Record<string, unknown>
  Plain.prototype = Object.prototype
  return Plain
}

/** The error, with the field in which it happened in front of its path. */
function inside(error: unknown, part: string): unknown {
  if (error instanceof WireDamage) error.path.unshift(part)
  return error
}

/**
 * Tagged fields come by rising tag. Those that are not known are stepped over and forgotten: what
 * they may be is for later versions to say.
 */
function taggedDecoder(
  layout: StructLayout,
): (reader: MessageReader, value: Record<string, unknown>) => void {
  const known = new Map(
    layout.tagged.map((field) => {
      return [field.tag, { name: field.name, decode: fieldDecoder(field, true) }] as const
    }),
  )
  return (reader, value) => {
    const count = reader.unsignedVarint()
    let lastTag = -1
    for (let left = count; left > 0; left--) {
      const tag = reader.unsignedVarint()
      if (tag <= lastTag) reader.fail(`tag ${tag} follows tag ${lastTag}`)
      lastTag = tag
      const sizeBytes = reader.unsignedVarint()
      const field = known.get(tag)
      if (field === undefined) {
        reader.skip(sizeBytes)
        continue
      }
      const end = reader.position + sizeBytes
      try {
        value[field.name] = field.decode(reader)
        if (reader.position !== end) reader.fail('a tagged field has not the size it announces')
      } catch (error) {
        throw inside(error, field.name)
      }
    }
  }
}

function fieldDecoder({ type, isNullable }: FieldLayout, isFlexible: boolean): Decode {
  if (type.kind === 'array') return arrayDecoder(type.element, isNullable, isFlexible)
  if (type.kind === 'scalar') return scalarDecoder(type.of, isNullable, isFlexible)
  const decode = structDecoder(type.struct)
  if (!isNullable) return decode
  return (reader) => {
    const presence = reader.int8()
    if (presence === -1) return null
    if (presence !== 1) reader.fail(`the presence of a structure is ${presence}`)
    return decode(reader)
  }
}

function arrayDecoder(element: TypeLayout, isNullable: boolean, isFlexible: boolean): Decode {
  const decode =
    element.kind === 'struct'
      ? structDecoder(element.struct)
      : fieldDecoder({ name: '', type: element, isNullable: false, fallback: null }, isFlexible)
  const minBytes = minBytesOf(element, isFlexible)
  return (reader) => {
    const count = reader.length(isFlexible)
    if (count === -1) return isNullable ? null : notNull(reader)
    reader.expectElements(count, minBytes)
    const values = new Array<unknown>(count)
    let index = 0
    try {
      for (; index < count; index++) values[index] = decode(reader)
    } catch (error) {
      throw inside(error, `[${index}]`)
    }
    return values
  }
}

/** Those of types that have one form for all. */
const fixedDecoders: Readonly<Partial<Record<ScalarName, Decode>>> = {
  bool: (reader) => reader.bool(),
  int8: (reader) => reader.int8(),
  int16: (reader) => reader.int16(),
  uint16: (reader) => reader.uint16(),
  int32: (reader) => reader.int32(),
  int64: (reader) => reader.int64(),
  clampedInt64: (reader) => reader.clampedInt64(),
  float64: (reader) => reader.float64(),
  uuid: (reader) => reader.uuid(),
}

function scalarDecoder(of: ScalarName, isNullable: boolean, isFlexible: boolean): Decode {
  const fixed = fixedDecoders[of]
  if (fixed !== undefined) return fixed
  if (of === 'string') {
    return (reader) => {
      const length = reader.stringLength(isFlexible)
      if (length === -1) return isNullable ? null : notNull(reader)
      return reader.text(length)
    }
  }
  return (reader) => {
    const length = reader.length(isFlexible)
    if (length === -1) return isNullable ? null : notNull(reader)
    return reader.view(length)
  }
}

function notNull(reader: MessageReader): never {
  return reader.fail('null, where null is not allowed')
}
