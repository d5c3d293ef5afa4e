import { CorruptBatchError } from './errors.ts'
import type { FilePosition, Timestamp } from './units.ts'
import { ByteCursor } from './varint.ts'

/** What the records of a batch say together. */
export interface CheckedRecords {
  readonly minTimestamp: Timestamp
  readonly maxTimestamp: Timestamp
  /** How many have no key. */
  readonly keyless: number
}

/** Where records lie that are to be checked, and what their batch says of them. */
export interface UncheckedRecords {
  readonly bytes: Uint8Array
  /** Where the first one begins; the last one ends with the bytes. */
  readonly start: number
  readonly count: number
  readonly baseTimestamp: Timestamp
  /** Of the batch, for errors. */
  readonly position: FilePosition
}

/**
 * Goes over the records of a batch (the grammar is in record-list.ts) without making anything of
 * them: their sizes, that their fields add up, and that they have the offsets 0, 1, 2 … from the
 * batch's on.
 *
 * Throws CorruptBatchError.
 */
export function checkRecords(records: UncheckedRecords): CheckedRecords {
  return new RecordCheck(records).run()
}

class RecordCheck {
  readonly #records: UncheckedRecords
  readonly #cursor: ByteCursor
  #index = 0
  #minDelta = Number.POSITIVE_INFINITY
  #maxDelta = Number.NEGATIVE_INFINITY
  #keyless = 0

  constructor(records: UncheckedRecords) {
    this.#records = records
    this.#cursor = new ByteCursor(records.bytes, records.start, records.bytes.length)
  }

  run(): CheckedRecords {
    const { count, bytes, start, baseTimestamp } = this.#records
    let at = start
    for (; this.#index < count; this.#index++) {
      const next = this.#plainEnd(bytes, at, this.#index)
      at = next === notPlain ? this.#end(at) : next
    }
    if (at !== bytes.length)
      this.#fail(`${bytes.length - at} bytes are left behind the last record`)
    const minTimestamp = baseTimestamp + this.#minDelta
    const maxTimestamp = baseTimestamp + this.#maxDelta
    if (count > 0 && !(Number.isSafeInteger(minTimestamp) && Number.isSafeInteger(maxTimestamp))) {
      this.#fail('a timestamp is beyond 2^53')
    }
    return { minTimestamp, maxTimestamp, keyless: this.#keyless }
  }

  /**
   * Where a plain record ends that begins here: one that is right, has no headers, and no number
   * of more than two bytes. Nearly all are, and this takes a third of the time.
   */
  #plainEnd(bytes: Uint8Array, start: number, index: number): number {
    const length = smallVarint(bytes, start)
    const body = start + (length & 3)
    const end = body + (length >> 3)
    const delta = smallVarint(bytes, body + 1)
    const offset = smallVarint(bytes, body + 1 + (delta & 3))
    // Odd ones are negative, as is what is not small.
    if (((length | offset) & 4) !== 0 || offset >> 3 !== index || delta < 0) return notPlain
    let at = body + 1 + (delta & 3) + (offset & 3)
    const key = smallVarint(bytes, at)
    at += key & 3
    const isKeyless = key === nullSize
    if (!isKeyless) at += key >> 3
    const value = smallVarint(bytes, at)
    at += value & 3
    if (value !== nullSize) at += value >> 3
    const isSized = (!isKeyless && (key & 4) !== 0) || (value !== nullSize && (value & 4) !== 0)
    if (isSized || at + 1 !== end || bytes[at] !== 0) return notPlain
    if (isKeyless) this.#keyless++
    const timestampDelta = (delta >> 3) ^ -((delta >> 2) & 1)
    if (timestampDelta > this.#maxDelta) this.#maxDelta = timestampDelta
    if (timestampDelta < this.#minDelta) this.#minDelta = timestampDelta
    return end
  }

  /** Where any record ends that begins here. */
  #end(start: number): number {
    const cursor = this.#cursor
    const { bytes } = cursor
    cursor.position = start
    cursor.end = bytes.length
    const length = cursor.readVarint()
    const end = cursor.position + length
    if (!(length >= 0 && end <= bytes.length)) this.#fail('its length is not that of a record')
    cursor.end = end
    // The attributes, which say nothing; where even they are missing, the next field is.
    cursor.position += 1
    this.#note(cursor.readVarlong())
    if (cursor.readVarint() !== this.#index) this.#fail('its offset delta is not its number')
    const keySize = cursor.readVarint()
    if (keySize === -1) this.#keyless++
    else this.#skip(keySize)
    const valueSize = cursor.readVarint()
    if (valueSize !== -1) this.#skip(valueSize)
    const headers = cursor.readVarint()
    if (headers !== 0) this.#skipHeaders(headers)
    if (cursor.position !== end) this.#fail('its fields do not add up to its length')
    return end
  }

  #note(timestampDelta: number): void {
    const timestamp = this.#records.baseTimestamp + timestampDelta
    if (!Number.isSafeInteger(timestamp)) this.#fail('its timestamp is cut off or beyond 2^53')
    this.#maxDelta = Math.max(this.#maxDelta, timestampDelta)
    this.#minDelta = Math.min(this.#minDelta, timestampDelta)
  }

  #skip(size: number): void {
    const cursor = this.#cursor
    if (!(size >= 0 && cursor.position + size <= cursor.end)) {
      this.#fail('a key, value or header has an impossible size')
    }
    cursor.position += size
  }

  #skipHeaders(count: number): void {
    const cursor = this.#cursor
    // The least header has two bytes: what cannot be is refused before any work is done.
    if (!(count >= 0 && count * 2 <= cursor.end - cursor.position)) {
      this.#fail('it has an impossible number of headers')
    }
    for (let header = 0; header < count; header++) {
      this.#skip(cursor.readVarint())
      const valueSize = cursor.readVarint()
      if (valueSize !== -1) this.#skip(valueSize)
    }
  }

  #fail(reason: string): never {
    const { count, position } = this.#records
    const what = this.#index < count ? `record ${this.#index}: ` : ''
    throw new CorruptBatchError(`${what}${reason}`, position)
  }
}

const notPlain = -1
/** What `smallVarint` gives for -1 in one byte. */
const nullSize = (1 << 2) | 1

/**
 * A varint of one byte or two, in zig-zag as it lies there, before the number of its bytes in the
 * lowest two bits; -1 for any other one, or where bytes are missing.
 */
function smallVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return (first << 2) | 1
  const second = bytes[at + 1] as number
  return second < 0x80 ? (((first & 0x7f) | (second << 7)) << 2) | 2 : -1
}
