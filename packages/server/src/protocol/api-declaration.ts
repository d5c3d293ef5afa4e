import type { FramePiece } from './unread-bytes.ts'
// How messages are described. A declaration is plain data: decoders and encoders are compiled from
// it for each version (`message-decoder.ts`, `message-encoder.ts`), and the types of messages are
// inferred from it, so that nothing is said twice. The form is Varve's own; names of fields, types
// and versions are Kafka's, camel-cased.

/**
 * One API: a request and its response. Fields stand in the order in which they are sent.
 *
 * A field is `'type versions tag default'`, of which only the type must be there:
 *
 * - `'int32'` is there in all versions, `'int32 3+'` from version 3 on, `'int32 0-14'` up to 14;
 * - `'string?'` may be null, `'string?7+'` from version 7 on; `'int32[]'` is an array;
 * - `'int32 12+ tag 0'` is a tagged field: it is sent only when it is not its default;
 * - `'int32 = -1'` has a default, which is what a version without the field decodes to, and what is
 *   sent when a message does not name the field.
 *
 * Without a default of its own, a field that may be null has null, others have zero, empty or
 * false. A message has to name fields that have no default of their own, unless they are tagged.
 * Arrays of structures and structures are objects (`StructArray`, `NestedStruct`); the former may
 * be left out where not all versions have them.
 */
export interface ApiDeclaration {
  /** Kafka's name. */
  readonly name: string
  /** Kafka's number. */
  readonly key: number
  /** What can be encoded and decoded: `'0-4'`. What is offered to clients is decided elsewhere. */
  readonly versions: string
  /** The first version with compact lengths and tagged fields; null where there is none. */
  readonly flexibleFrom: number | null
  readonly request: FieldDeclarations
  readonly response: FieldDeclarations
}

export interface FieldDeclarations {
  readonly [name: string]: FieldDeclaration
}

export type FieldDeclaration = string | StructArray | NestedStruct

export interface StructArray {
  readonly each: FieldDeclarations
  /** The versions that have it, as in the short form. */
  readonly in?: string
  /** The versions in which it may be null. */
  readonly nullable?: string
  readonly tag?: number
}

export interface NestedStruct {
  readonly struct: FieldDeclarations
  readonly in?: string
  readonly nullable?: string
  readonly tag?: number
}

/** What each type of the wire is in JavaScript. */
export interface ScalarTypes {
  readonly bool: boolean
  readonly int8: number
  readonly int16: number
  readonly uint16: number
  readonly int32: number
  /** Refused where a number cannot hold it. */
  readonly int64: number
  /**
   * An int64 that programs fill with anything, and of which only its place in the order counts:
   * what a number cannot hold comes as the nearest safe integer. Sent like any int64.
   */
  readonly clampedInt64: number
  readonly float64: number
  readonly string: string
  /** 16 bytes, as the 22 characters of base64url that Kafka prints. */
  readonly uuid: string
  /** A view of the frame. */
  readonly bytes: Buffer
  /** Record batches, a view of the frame. */
  readonly records: Buffer
}

export type ScalarName = keyof ScalarTypes

/** What may be given to be sent: records may come in several pieces, also such as are not read. */
type SentScalars = Omit<ScalarTypes, 'bytes' | 'records'> & {
  readonly bytes: Uint8Array
  readonly records: Uint8Array | readonly FramePiece[]
}

/** A message as it comes out of a decoder: every field is there. */
export type Decoded<Fields> = {
  readonly [Name in keyof Fields]: ValueOf<Fields[Name], ScalarTypes>
}

/** A message to be encoded: what `ApiDeclaration` says can be left out, may be. */
export type Encodable<Fields> = {
  readonly [Name in NamesOf<Fields, false>]: SentValueOf<Fields[Name]>
} & {
  readonly [Name in NamesOf<Fields, true>]?: SentValueOf<Fields[Name]>
}

type NamesOf<Fields, Optional extends boolean> = {
  [Name in keyof Fields]: IsOptional<Fields[Name]> extends Optional ? Name : never
}[keyof Fields]

type IsOptional<Field> = Field extends `${string} = ${string}` | `${string} tag ${string}`
  ? true
  : Field extends { readonly tag: number } | { readonly each: unknown; readonly in: string }
    ? true
    : false

type ValueOf<Field, Scalars> = Field extends string
  ? TextValue<FirstWord<Field>, Scalars>
  : Field extends { readonly each: infer Fields }
    ? readonly Decoded<Fields>[] | NullOf<Field>
    : Field extends { readonly struct: infer Fields }
      ? Decoded<Fields> | NullOf<Field>
      : never

type SentValueOf<Field> = Field extends string
  ? TextValue<FirstWord<Field>, SentScalars>
  : Field extends { readonly each: infer Fields }
    ? readonly Encodable<Fields>[] | NullOf<Field>
    : Field extends { readonly struct: infer Fields }
      ? Encodable<Fields> | NullOf<Field>
      : never

type NullOf<Field> = Field extends { readonly nullable: string } ? null : never

type FirstWord<Text extends string> = Text extends `${infer Word} ${string}` ? Word : Text

type TextValue<Word extends string, Scalars> = Word extends `${infer Type}?${string}`
  ? TypeValue<Type, Scalars> | null
  : TypeValue<Word, Scalars>

type TypeValue<Type extends string, Scalars> = Type extends `${infer Element}[]`
  ? readonly ScalarValue<Element, Scalars>[]
  : ScalarValue<Type, Scalars>

type ScalarValue<Name, Scalars> = Name extends keyof Scalars ? Scalars[Name] : never

/** What a handler of an API is given. */
export type RequestOf<Api extends ApiDeclaration> = Decoded<Api['request']>

/** What a handler of an API answers. */
export type ResponseOf<Api extends ApiDeclaration> = Encodable<Api['response']>
