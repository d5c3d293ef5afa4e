// Zig-zag, then little-endian base 128 with a continuation bit: protobuf's sint32 and sint64, which
// are Kafka's varint and varlong (`ByteUtils`).

const two27 = 2 ** 27
const two31 = 2 ** 31

/** Bytes that `value` (int32) takes as a varint: 1 to 5. */
export function varintSize(value: number): number {
  // A seventh of the bits, rounded up; n * 37 >>> 8 is n / 7 for every n that occurs here.
  return ((38 - Math.clz32(((value << 1) ^ (value >> 31)) | 1)) * 37) >>> 8
}

/** Writes `value` (int32) as a varint and returns the position behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = (value << 1) ^ (value >> 31)
  while ((zigzag & ~0x7f) !== 0) {
    bytes[at++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[at] = zigzag
  return at + 1
}

/** Bytes that `value` (a safe integer) takes as a varlong: 1 to 8. */
export function varlongSize(value: number): number {
  if (value === (value | 0)) return varintSize(value)
  // The zig-zag number is 2m, or 2m + 1 for negatives; as bit lengths only m counts.
  let magnitude = value < 0 ? -(value + 1) : value
  magnitude = Math.floor(magnitude / two27)
  let size = 5
  while (magnitude >= 0x80) {
    magnitude = Math.floor(magnitude / 0x80)
    size += 1
  }
  return size
}

/** Writes `value` (a safe integer) as a varlong and returns the position behind it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, at, value)
  // Doubling could leave the exact range, so the lowest 28 bits are split off before it.
  const sign = value < 0 ? 1 : 0
  const magnitude = sign === 1 ? -(value + 1) : value
  let high = Math.floor(magnitude / two27)
  let low = (magnitude - high * two27) * 2 + sign
  for (let group = 0; group < 4; group++) {
    bytes[at++] = (low & 0x7f) | 0x80
    low >>>= 7
  }
  while (high >= 0x80) {
    bytes[at++] = (high % 0x80) | 0x80
    high = Math.floor(high / 0x80)
  }
  bytes[at++] = high
  return at
}

/**
 * Reads numbers one after the other out of bytes that may be anything. What does not fit is NaN:
 * every caller has its own words for the damage, and NaN fails each comparison with a size.
 * Nearly all numbers of a record take one byte or two, and are read without a loop.
 */
export class ByteCursor {
  readonly bytes: Uint8Array
  position: number
  /** Nothing at or behind this position is read. */
  end: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  /** The next varint; NaN when it is cut off or longer than 5 bytes. */
  readVarint(): number {
    const at = this.position
    if (at + 1 < this.end) {
      const first = this.bytes[at] as number
      if (first < 0x80) {
        this.position = at + 1
        return (first >>> 1) ^ -(first & 1)
      }
      const second = this.bytes[at + 1] as number
      if (second < 0x80) {
        this.position = at + 2
        const zigzag = (first & 0x7f) | (second << 7)
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    return this.#readLongVarint()
  }

  /** The next varlong; NaN when it is cut off or longer than 10 bytes, or not a safe integer. */
  readVarlong(): number {
    const at = this.position
    if (at + 1 < this.end) {
      const first = this.bytes[at] as number
      if (first < 0x80) {
        this.position = at + 1
        return (first >>> 1) ^ -(first & 1)
      }
      const second = this.bytes[at + 1] as number
      if (second < 0x80) {
        this.position = at + 2
        const zigzag = (first & 0x7f) | (second << 7)
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    const value = this.#readLongVarlong()
    return Number.isSafeInteger(value) ? value : Number.NaN
  }

  /** Steps over a varlong whose value does not matter; false when it is cut off or over-long. */
  skipVarlong(): boolean {
    const at = this.position
    if (at < this.end && (this.bytes[at] as number) < 0x80) {
      this.position = at + 1
      return true
    }
    return !Number.isNaN(this.#readLongVarlong())
  }

  #readLongVarint(): number {
    const bytes = this.bytes
    let at = this.position
    let zigzag = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      if (at >= this.end) return Number.NaN
      const byte = bytes[at++] as number
      // As in Kafka, what the fifth byte has beyond bit 31 falls off.
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    return Number.NaN
  }

  /** The lowest four groups go into one integer, the other six into another; both stay exact. */
  #readLongVarlong(): number {
    const bytes = this.bytes
    let at = this.position
    let low = 0
    let high = 0
    let weight = 1
    for (let group = 0; group < 10; group++) {
      if (at >= this.end) return Number.NaN
      const byte = bytes[at++] as number
      if (group < 4) {
        low |= (byte & 0x7f) << (7 * group)
      } else {
        // The tenth byte holds bit 63 alone; as in Kafka, what it has beyond that falls off.
        high += (group === 9 ? byte & 1 : byte & 0x7f) * weight
        weight *= 0x80
      }
      if (byte < 0x80) {
        this.position = at
        const magnitude = high * two27 + (low >>> 1)
        return (low & 1) === 1 ? -magnitude - 1 : magnitude
      }
    }
    return Number.NaN
  }
}

/** Largest int32, the bound of every size and count in a batch. */
export const int32Max: number = two31 - 1
