/** What is wrong with bytes, where; the path of the field grows while it is passed up. */
export class WireDamage extends Error {
  readonly position: number
  readonly path: string[] = []

  constructor(reason: string, position: number) {
    super(reason)
    this.position = position
  }
}

/** Arrays have together at most so many elements, unless a decoder is told otherwise. */
export const defaultElementsMax = 262_144

/**
 * The engine tells longer strings apart by their length and their characters alone, so that a set
 * of many of them takes time with the square of their number. No name is so long in earnest.
 */
const hashedTextBytesMax = 16_383
/** So much of a message may be in such strings. */
const longTextBytesMax = 4 * 2 ** 20

/** In compact form too. */
const stringBytesMax = 32_767
const two32 = 2 ** 32
/** A native call to make a string costs about as much as a loop over so many characters. */
const shortTextBytes = 7

/**
 * Reads the values of Kafka's wire, one after the other, out of bytes that may be anything. Nothing
 * is allocated that the bytes that are there do not pay for: lengths are compared with what is
 * left, and the elements of arrays are counted over the whole message, since a two-byte element may
 * become an object. Throws WireDamage.
 */
export class MessageReader {
  readonly bytes: Buffer
  position: number
  readonly end: number
  #elementsLeft: number
  #longTextBytesLeft = longTextBytesMax

  constructor(bytes: Buffer, position: number, elementsMax: number) {
    this.bytes = bytes
    this.position = position
    this.end = bytes.length
    this.#elementsLeft = elementsMax
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    const at = this.#take(1)
    return ((this.bytes[at] as number) << 24) >> 24
  }

  int16(): number {
    const at = this.#take(2)
    return (((this.bytes[at] as number) << 24) >> 16) | (this.bytes[at + 1] as number)
  }

  uint16(): number {
    const at = this.#take(2)
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number)
  }

  int32(): number {
    return int32At(this.bytes, this.#take(4))
  }

  int64(): number {
    const value = this.#int64()
    if (!Number.isSafeInteger(value)) this.fail('an int64 is beyond ±(2^53-1)', this.position - 8)
    return value
  }

  clampedInt64(): number {
    const value = this.#int64()
    if (Number.isSafeInteger(value)) return value
    return value < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.#take(8))
  }

  uuid(): string {
    const at = this.#take(16)
    return this.bytes.toString('base64url', at, at + 16)
  }

  /** An unsigned varint of at most 31 bits: all of Kafka's are lengths, counts and tags. */
  unsignedVarint(): number {
    const { bytes, end } = this
    let at = this.position
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      if (at >= end) this.fail('the message ends inside of a varint')
      const byte = bytes[at++] as number
      if (shift === 28 && byte > 0x07) this.fail('a varint is larger than 2^31-1')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return value
      }
    }
    return this.fail('a varint is longer than five bytes')
  }

  /** The length in front of a string: -1 for null. */
  stringLength(isFlexible: boolean): number {
    const length = isFlexible ? this.unsignedVarint() - 1 : this.int16()
    if (length > stringBytesMax) this.fail(`a string has ${length} bytes`)
    return this.#checkedLength(length)
  }

  /** The length in front of bytes, or the count in front of an array's elements: -1 for null. */
  length(isFlexible: boolean): number {
    return this.#checkedLength(isFlexible ? this.unsignedVarint() - 1 : this.int32())
  }

  /** UTF-8; as in Kafka, what is none becomes U+FFFD. */
  text(sizeBytes: number): string {
    const at = this.#take(sizeBytes)
    if (sizeBytes > hashedTextBytesMax) this.#countLongText(sizeBytes)
    if (sizeBytes > shortTextBytes) return this.bytes.toString('utf8', at, at + sizeBytes)
    return this.#shortText(at, at + sizeBytes)
  }

  /** A view of the frame. */
  view(sizeBytes: number): Buffer {
    const at = this.#take(sizeBytes)
    return this.bytes.subarray(at, at + sizeBytes)
  }

  /** Before the elements of an array are read: whether so many can be there at all. */
  expectElements(count: number, minBytes: number): void {
    if (count * minBytes > this.end - this.position) {
      this.fail(`${count} elements do not fit in the ${this.end - this.position} bytes left`)
    }
    if (count > this.#elementsLeft) this.fail('the message has too many elements')
    this.#elementsLeft -= count
  }

  skip(sizeBytes: number): void {
    this.#take(sizeBytes)
  }

  expectEnd(): void {
    const left = this.end - this.position
    if (left !== 0) this.fail(`${left} bytes follow the message`)
  }

  fail(reason: string, position: number = this.position): never {
    throw new WireDamage(reason, position)
  }

  #int64(): number {
    const at = this.#take(8)
    return int32At(this.bytes, at) * two32 + (int32At(this.bytes, at + 4) >>> 0)
  }

  /** Where the next `sizeBytes` bytes begin, which are then behind. */
  #take(sizeBytes: number): number {
    const at = this.position
    if (sizeBytes > this.end - at) {
      this.fail(`${sizeBytes} bytes are announced and ${this.end - at} are left`)
    }
    this.position = at + sizeBytes
    return at
  }

  #countLongText(sizeBytes: number): void {
    this.#longTextBytesLeft -= sizeBytes
    if (this.#longTextBytesLeft < 0) this.fail('the message has too many long strings')
  }

  #checkedLength(length: number): number {
    if (length < -1) this.fail(`a length is ${length}`)
    return length
  }

  #shortText(from: number, to: number): string {
    const bytes = this.bytes
    let text = ''
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number
      if (byte >= 0x80) return bytes.toString('utf8', from, to)
      text += String.fromCharCode(byte)
    }
    return text
  }
}

function int32At(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}
