import assert from 'node:assert/strict'
import { InvalidArgumentError } from '@varve/record'

/** Writes one of Kafka's version-prefixed messages, field by field. */
export class SchemaWriter {
  readonly #isFlexible: boolean
  #bytes: Buffer = Buffer.allocUnsafe(128)
  #end = 0

  constructor(version: number, firstFlexible: number) {
    this.#isFlexible = version >= firstFlexible
    this.#int16(version)
  }

  int32(value: number): this {
    const at = this.#claim(4)
    this.#bytes.writeInt32BE(value, at)
    return this
  }

  int64(value: number): this {
    assert(Number.isSafeInteger(value), 'an int64 field holds a safe integer')
    const at = this.#claim(8)
    const high = Math.floor(value / 2 ** 32)
    this.#bytes.writeInt32BE(high, at)
    this.#bytes.writeUInt32BE(value - high * 2 ** 32, at + 4)
    return this
  }

  /** An int64 of which every bit counts. */
  bits64(value: bigint): this {
    const at = this.#claim(8)
    this.#bytes.writeBigInt64BE(value, at)
    return this
  }

  int8(value: number): this {
    return this.#byte(value & 0xff)
  }

  /** The 22 characters of base64url that Kafka prints, as 16 bytes. */
  uuid(value: string): this {
    const bytes = Buffer.from(value, 'base64url')
    assert(bytes.length === 16, 'an uuid has 16 bytes')
    const at = this.#claim(16)
    this.#bytes.set(bytes, at)
    return this
  }

  string(value: string | null): this {
    if (value === null) {
      if (this.#isFlexible) return this.#unsignedVarint(0)
      return this.#int16(-1)
    }
    const length = Buffer.byteLength(value)
    if (length > 0x7fff) {
      throw new InvalidArgumentError('string', value, 'has more than 32767 bytes, Kafka’s limit')
    }
    if (this.#isFlexible) this.#unsignedVarint(length + 1)
    else this.#int16(length)
    const at = this.#claim(length)
    this.#bytes.write(value, at, 'utf8')
    return this
  }

  bytes(value: Uint8Array | null): this {
    const length = value === null ? -1 : value.length
    if (this.#isFlexible) this.#unsignedVarint(length + 1)
    else this.int32(length)
    if (value !== null) {
      const at = this.#claim(length)
      this.#bytes.set(value, at)
    }
    return this
  }

  array<T>(elements: readonly T[], writeElement: (element: T) => void): this {
    if (this.#isFlexible) this.#unsignedVarint(elements.length + 1)
    else this.int32(elements.length)
    for (const element of elements) writeElement(element)
    return this
  }

  /** Tagged fields, by their numbers in order, where the version has them. */
  tags(fields: ReadonlyMap<number, Uint8Array> = new Map()): this {
    if (!this.#isFlexible) return this
    this.#unsignedVarint(fields.size)
    for (const [tag, bytes] of fields) {
      this.#unsignedVarint(tag).#unsignedVarint(bytes.length)
      const at = this.#claim(bytes.length)
      this.#bytes.set(bytes, at)
    }
    return this
  }

  /** Everything written; the writer is not used again. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#end)
  }

  #unsignedVarint(value: number): this {
    while (value >= 0x80) {
      this.#byte((value & 0x7f) | 0x80)
      value = Math.floor(value / 0x80)
    }
    return this.#byte(value)
  }

  #byte(value: number): this {
    const at = this.#claim(1)
    this.#bytes[at] = value
    return this
  }

  #int16(value: number): this {
    const at = this.#claim(2)
    this.#bytes.writeInt16BE(value, at)
    return this
  }

  /** Where `count` more bytes go. May move `#bytes`: looked at only afterwards. */
  #claim(count: number): number {
    const start = this.#end
    this.#end += count
    if (this.#end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#end, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, start)
      this.#bytes = larger
    }
    return start
  }
}
