import type { ScalarName } from './api-declaration.ts'
import type { FieldLayout, StructLayout, TypeLayout } from './message-layout.ts'
import { type MessageWriter, UnsendableValue } from './message-writer.ts'
import type { FramePiece } from './unread-bytes.ts'

/** Writes one value. */
export type Encode = (writer: MessageWriter, value: unknown) => void

type Struct = Readonly<Record<string, unknown>>

/**
 * The encoder of a message or structure, put together once; throws UnsendableValue. Fields that
 * the version does not have are left out, whatever their value.
 */
export function structEncoder(layout: StructLayout): Encode {
  const names = layout.fields.map(({ name }) => name)
  const fallbacks = layout.fields.map(({ fallback }) => fallback)
  const encoders = layout.fields.map((field) => fieldEncoder(field, layout.isFlexible))
  const encodeTagged = layout.isFlexible ? taggedEncoder(layout) : null
  const count = names.length
  return (writer, value) => {
    if (typeof value !== 'object' || value === null) {
      throw new UnsendableValue(value, 'it must be an object')
    }
    let index = 0
    try {
      for (; index < count; index++) {
        const given = (value as Struct)[names[index] as string]
        ;(encoders[index] as Encode)(writer, given === undefined ? fallbacks[index] : given)
      }
    } catch (error) {
      throw inside(error, names[index] as string)
    }
    if (encodeTagged !== null) encodeTagged(writer, value as Struct)
  }
}

function inside(error: unknown, part: string): unknown {
  if (error instanceof UnsendableValue) error.path.unshift(part)
  return error
}

/** Tagged fields that have not their default, by rising tag. */
function taggedEncoder(layout: StructLayout): (writer: MessageWriter, value: Struct) => void {
  const fields = layout.tagged.map((field) => {
    return { ...field, encode: fieldEncoder(field, true) }
  })
  if (fields.length === 0) return (writer) => writer.unsignedVarint(0)
  return (writer, value) => {
    let count = 0
    for (const field of fields) if (!isDefault(value[field.name], field)) count += 1
    writer.unsignedVarint(count)
    // Nearly always there is none, and then nothing is allocated.
    if (count > 0) encodeSent(writer, value)
  }

  function encodeSent(writer: MessageWriter, value: Struct): void {
    for (const field of fields) {
      if (isDefault(value[field.name], field)) continue
      writer.unsignedVarint(field.tag)
      try {
        writer.sized(() => field.encode(writer, value[field.name]))
      } catch (error) {
        throw inside(error, field.name)
      }
    }
  }
}

function isDefault(value: unknown, { type, fallback }: FieldLayout): boolean {
  if (value === undefined || value === fallback) return true
  if (value === null || fallback === null) return false
  if (type.kind === 'array') return Array.isArray(value) && value.length === 0
  if (type.kind === 'scalar') return value instanceof Uint8Array && value.length === 0
  const all = [...type.struct.fields, ...type.struct.tagged]
  return all.every((field) => isDefault((value as Struct)[field.name], field))
}

function fieldEncoder({ type, isNullable }: FieldLayout, isFlexible: boolean): Encode {
  if (type.kind === 'array') return arrayEncoder(type.element, isNullable, isFlexible)
  if (type.kind === 'scalar') return scalarEncoder(type.of, isNullable, isFlexible)
  const encode = structEncoder(type.struct)
  if (!isNullable) return encode
  return (writer, value) => {
    writer.int8(value === null ? -1 : 1)
    if (value !== null) encode(writer, value)
  }
}

function arrayEncoder(element: TypeLayout, isNullable: boolean, isFlexible: boolean): Encode {
  const field = { name: '', type: element, isNullable: false, fallback: null }
  const encode = fieldEncoder(field, isFlexible)
  return (writer, value) => {
    if (value === null && isNullable) {
      writer.length(-1, isFlexible)
      return
    }
    if (!Array.isArray(value)) throw new UnsendableValue(value, 'it must be an array')
    const count = value.length
    writer.length(count, isFlexible)
    let index = 0
    try {
      for (; index < count; index++) encode(writer, value[index])
    } catch (error) {
      throw inside(error, `[${index}]`)
    }
  }
}

/** Those of types that have one form for all. */
const fixedEncoders: Readonly<Partial<Record<ScalarName, Encode>>> = {
  bool: (writer, value) => writer.bool(value as boolean),
  int8: (writer, value) => writer.int8(value as number),
  int16: (writer, value) => writer.int16(value as number),
  uint16: (writer, value) => writer.uint16(value as number),
  int32: (writer, value) => writer.int32(value as number),
  int64: (writer, value) => writer.int64(value as number),
  clampedInt64: (writer, value) => writer.int64(value as number),
  float64: (writer, value) => writer.float64(value as number),
  uuid: (writer, value) => writer.uuid(value as string),
}

function scalarEncoder(of: ScalarName, isNullable: boolean, isFlexible: boolean): Encode {
  const fixed = fixedEncoders[of]
  if (fixed !== undefined) return fixed
  if (of === 'string') {
    return (writer, value) => {
      if (value === null && !isNullable) refuseNull()
      writer.string(value as string | null, isFlexible)
    }
  }
  return (writer, value) => {
    if (value === null) {
      if (!isNullable) refuseNull()
      writer.length(-1, isFlexible)
    } else if (of === 'bytes') writer.blob(value as Uint8Array, isFlexible)
    else writer.records(value as Uint8Array | readonly FramePiece[], isFlexible)
  }
}

function refuseNull(): never {
  throw new UnsendableValue(null, 'it may not be null in this version')
}
