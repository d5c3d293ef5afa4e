import { CorruptGroupRecordError } from './group-errors.ts'

/** The first version in which strings, bytes and arrays are compact and tagged fields follow. */
export interface SchemaVersions {
  /** What is decoded, for errors: `offset commit value`. */
  readonly subject: string
  readonly latest: number
  /** `Infinity` when no version is flexible. */
  readonly firstFlexible: number
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads the fields of one of Kafka's version-prefixed messages, one after the other. The bytes are
 * hostile: whatever does not fit them is a CorruptGroupRecordError, and nothing is allocated that
 * the bytes themselves do not hold.
 */
export class SchemaReader {
  readonly version: number
  readonly #bytes: Buffer
  readonly #subject: string
  readonly #isFlexible: boolean
  #at = 2

  constructor(bytes: Buffer, versions: SchemaVersions) {
    this.#bytes = bytes
    this.#subject = versions.subject
    if (bytes.length < 2) throw this.corrupt('it is shorter than its version')
    this.version = bytes.readInt16BE(0)
    if (this.version < 0) throw this.corrupt(`its version is ${this.version}`)
    this.#isFlexible = this.version >= versions.firstFlexible
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  int64(): number {
    const at = this.#take(8)
    const value = this.#bytes.readInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4)
    if (!Number.isSafeInteger(value)) throw this.corrupt('an int64 is beyond 2^53')
    return value
  }

  /** An int64 of which every bit counts. */
  bits64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8))
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  /** 16 bytes, as the 22 characters of base64url that Kafka prints. */
  uuid(): string {
    const at = this.#take(16)
    return this.#bytes.toString('base64url', at, at + 16)
  }

  string(): string {
    const value = this.nullableString()
    if (value === null) throw this.corrupt('a string is null')
    return value
  }

  nullableString(): string | null {
    const length = this.#isFlexible ? this.#compactLength() : this.#int16()
    const bytes = this.#slice(length)
    if (bytes === null) return null
    try {
      return utf8.decode(bytes)
    } catch {
      throw this.corrupt('a string is not UTF-8')
    }
  }

  bytes(): Buffer {
    const value = this.nullableBytes()
    if (value === null) throw this.corrupt('bytes are null')
    return value
  }

  /** A view. */
  nullableBytes(): Buffer | null {
    return this.#slice(this.#isFlexible ? this.#compactLength() : this.int32())
  }

  array<T>(readElement: () => T): T[] {
    const count = this.#isFlexible ? this.#compactLength() : this.int32()
    // An element takes a byte at least.
    if (count < 0 || count > this.remaining) throw this.corrupt(`an array has ${count} elements`)
    return Array.from({ length: count }, readElement)
  }

  /**
   * Tagged fields, where the version has them: those that are known are read by these, in as many
   * bytes as they say that they have; others are skipped.
   */
  tags(known: Readonly<Record<number, () => void>> = {}): void {
    if (!this.#isFlexible) return
    const count = this.#unsignedVarint()
    if (count > this.remaining) throw this.corrupt(`it has ${count} tagged fields`)
    for (let index = 0; index < count; index++) {
      const read = known[this.#unsignedVarint()]
      const end = this.#unsignedVarint() + this.#at
      if (read === undefined) this.#slice(end - this.#at)
      else read()
      if (this.#at !== end) throw this.corrupt('a tagged field is not of its length')
    }
  }

  corrupt(reason: string): CorruptGroupRecordError {
    return new CorruptGroupRecordError(this.#subject, reason)
  }

  #int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  /** -1 is null. */
  #compactLength(): number {
    return this.#unsignedVarint() - 1
  }

  #unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)] as number
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw this.corrupt('a varint has more than 5 bytes')
  }

  #slice(length: number): Buffer | null {
    if (length === -1) return null
    if (length < 0) throw this.corrupt(`a length is ${length}`)
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  #take(count: number): number {
    if (count > this.remaining) throw this.corrupt('it ends within a field')
    const start = this.#at
    this.#at += count
    return start
  }
}
