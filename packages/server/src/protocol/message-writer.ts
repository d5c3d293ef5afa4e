import { InvalidArgumentError } from '@varve/record'
import type { FramePiece } from './unread-bytes.ts'

/** Records at least so large are sent from where they are; smaller ones are copied. */
const ownPieceBytes = 2048
const initialBytes = 16 * 1024
/** A larger one is not kept for the next message. */
const keptBytes = 1024 * 1024
const two32 = 2 ** 32
/** In compact form too. */
const stringBytesMax = 32_767
const shortTextLength = 24

/** What cannot be sent: the path of the field grows while it is passed up. */
export class UnsendableValue extends Error {
  readonly value: unknown
  readonly path: string[] = []

  constructor(value: unknown, rule: string) {
    super(rule)
    this.value = value
  }

  /** As callers see it. */
  asInvalidArgument(messageName: string): InvalidArgumentError {
    const field = this.path.join('.').replaceAll('.[', '[')
    return new InvalidArgumentError(`${messageName}: ${field}`, this.value, this.message)
  }
}

/** Bytes that stand between those that were written, and where. */
interface ForeignPieces {
  readonly at: number
  readonly pieces: readonly FramePiece[]
}

/**
 * Writes the values of Kafka's wire into memory that is used again for the next message; `finish`
 * copies what was written. Large records are not copied but become pieces of their own. Throws
 * UnsendableValue.
 */
export class MessageWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(initialBytes)
  position = 0
  #foreign: ForeignPieces[] = []
  #foreignBytes = 0

  /** Forgets what was written. */
  reset(): void {
    if (this.bytes.length > keptBytes) this.bytes = Buffer.allocUnsafeSlow(initialBytes)
    this.position = 0
    this.#foreign = []
    this.#foreignBytes = 0
  }

  /** Bytes of the message so far, with records that were not copied. */
  get sizeBytes(): number {
    return this.position + this.#foreignBytes
  }

  /** What was written, in pieces to be sent one after the other. */
  finish(): readonly FramePiece[] {
    const own = Buffer.allocUnsafe(this.position)
    this.bytes.copy(own, 0, 0, this.position)
    if (this.#foreign.length === 0) return [own]
    const pieces: FramePiece[] = []
    let from = 0
    for (const foreign of this.#foreign) {
      pieces.push(own.subarray(from, foreign.at), ...foreign.pieces)
      from = foreign.at
    }
    if (from < own.length) pieces.push(own.subarray(from))
    return pieces
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') refuse(value, 'it must be true or false')
    this.#reserve(1)
    this.bytes[this.position++] = value ? 1 : 0
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) refuse(value, 'it must be an int8')
    this.#reserve(1)
    this.bytes[this.position++] = value & 0xff
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) refuse(value, 'it must be an int16')
    this.#twoBytes(value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) refuse(value, 'it must be a uint16')
    this.#twoBytes(value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) refuse(value, 'it must be an int32')
    this.#reserve(4)
    this.position = put32(this.bytes, this.position, value)
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) refuse(value, 'it must be a safe integer')
    this.#reserve(8)
    const high = Math.floor(value / two32)
    const at = put32(this.bytes, this.position, high)
    this.position = put32(this.bytes, at, value - high * two32)
  }

  float64(value: number): void {
    if (typeof value !== 'number') refuse(value, 'it must be a number')
    this.#reserve(8)
    this.position = this.bytes.writeDoubleBE(value, this.position)
  }

  uuid(value: string): void {
    this.#reserve(16)
    const isWhole = typeof value === 'string' && /^[\w-]{22}$/.test(value)
    if (!isWhole) refuse(value, 'it must be the 22 characters of a uuid in base64url')
    this.position += this.bytes.write(value, this.position, 16, 'base64url')
  }

  unsignedVarint(value: number): void {
    this.#reserve(5)
    const bytes = this.bytes
    let at = this.position
    while (value >= 0x80) {
      bytes[at++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    bytes[at++] = value
    this.position = at
  }

  /** The length in front of bytes, or the count in front of an array's elements; -1 for null. */
  length(length: number, isFlexible: boolean): void {
    if (isFlexible) this.unsignedVarint(length + 1)
    else this.int32(length)
  }

  string(value: string | null, isFlexible: boolean): void {
    if (value === null) {
      this.#stringLength(-1, isFlexible)
      return
    }
    if (typeof value !== 'string') refuse(value, 'it must be a string')
    const sizeBytes = Buffer.byteLength(value, 'utf8')
    if (sizeBytes > stringBytesMax) refuse(value, 'it may have at most 32767 bytes')
    this.#stringLength(sizeBytes, isFlexible)
    this.#reserve(sizeBytes)
    if (value.length === sizeBytes && sizeBytes <= shortTextLength) this.#shortAscii(value)
    else this.position += this.bytes.write(value, this.position, sizeBytes, 'utf8')
  }

  blob(value: Uint8Array, isFlexible: boolean): void {
    if (!(value instanceof Uint8Array)) refuse(value, 'it must be bytes')
    this.length(value.length, isFlexible)
    this.#copy(value)
  }

  /** Bytes in one piece or several, which are sent from where they are if they are large. */
  records(value: Uint8Array | readonly FramePiece[], isFlexible: boolean): void {
    const pieces = value instanceof Uint8Array ? [value] : value
    if (!Array.isArray(pieces)) refuse(value, 'it must be bytes, or an array of them')
    let sizeBytes = 0
    let isRead = true
    for (const piece of pieces) {
      sizeBytes += piece.length
      isRead &&= piece instanceof Uint8Array
    }
    this.length(sizeBytes, isFlexible)
    if (isRead && sizeBytes < ownPieceBytes) {
      for (const piece of pieces) this.#copy(piece as Uint8Array)
      return
    }
    this.#foreign.push({ at: this.position, pieces })
    this.#foreignBytes += sizeBytes
  }

  /** Writes something with its size, an unsigned varint, in front of it; never records. */
  sized(write: () => void): void {
    this.#reserve(1)
    const start = this.position
    // Most take less than 128 bytes, so one byte is left for the size.
    this.position += 1
    write()
    const sizeBytes = this.position - start - 1
    if (sizeBytes < 0x80) {
      this.bytes[start] = sizeBytes
      return
    }
    const more = sizeBytes < 0x4000 ? 1 : sizeBytes < 0x20_0000 ? 2 : 3
    this.#reserve(more)
    this.bytes.copyWithin(start + 1 + more, start + 1, this.position)
    this.position = start
    this.unsignedVarint(sizeBytes)
    this.position += sizeBytes
  }

  #stringLength(length: number, isFlexible: boolean): void {
    if (isFlexible) this.unsignedVarint(length + 1)
    else this.#twoBytes(length)
  }

  #twoBytes(value: number): void {
    this.#reserve(2)
    this.bytes[this.position] = (value >>> 8) & 0xff
    this.bytes[this.position + 1] = value & 0xff
    this.position += 2
  }

  #shortAscii(value: string): void {
    const bytes = this.bytes
    let at = this.position
    for (let index = 0; index < value.length; index++) bytes[at++] = value.charCodeAt(index)
    this.position = at
  }

  #copy(value: Uint8Array): void {
    this.#reserve(value.length)
    this.bytes.set(value, this.position)
    this.position += value.length
  }

  /** Makes room for `sizeBytes` more. */
  #reserve(sizeBytes: number): void {
    const needed = this.position + sizeBytes
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.position)
    this.bytes = larger
  }
}

function put32(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
  return at + 4
}

function refuse(value: unknown, rule: string): never {
  throw new UnsendableValue(value, rule)
}
