import type { BatchRecords } from './batch.ts'
import { CorruptBatchError } from './errors.ts'
import { LogRecord, type RecordSource } from './log-record.ts'
import type { Offset } from './units.ts'
import { ByteCursor } from './varint.ts'

/** Where the records of a batch lie and what its header says of them. */
export interface RecordLayout {
  /** Position of the first record in the source's bytes, which end with the last record. */
  readonly start: number
  readonly count: number
  readonly lastOffsetDelta: number
  /** Every record has the source's base timestamp, whatever is stored. */
  readonly ignoresTimestamps: boolean
  /** One object is every record in turn. */
  readonly reuseRecord: boolean
}

/** The records of one batch of magic 2. */
export class RecordList implements BatchRecords {
  readonly #source: RecordSource
  readonly #layout: RecordLayout
  /** Where every so many records one begins, once a second record is looked for. */
  #marks: number[] | null = null
  #finds = 0

  constructor(source: RecordSource, layout: RecordLayout) {
    this.#source = source
    this.#layout = layout
  }

  [Symbol.iterator](): Iterator<LogRecord> {
    return new RecordIterator(this.#source, this.#layout)
  }

  find(offset: Offset): LogRecord | null {
    const { baseOffset } = this.#source
    if (offset < baseOffset || offset > baseOffset + this.#layout.lastOffsetDelta) return null
    const offsetDelta = offset - baseOffset
    const { count, lastOffsetDelta } = this.#layout
    // Where no offset is left out, each record's number is its delta.
    if (count === lastOffsetDelta + 1) {
      const record = this.#iteratorNear(offsetDelta).find(offsetDelta)
      if (record !== null) return record
    }
    return new RecordIterator(this.#source, this.#layout).find(offsetDelta)
  }

  /** At a record, or before it where its place cannot be told by the lengths of those before. */
  #iteratorNear(record: number): RecordIterator {
    const iterator = new RecordIterator(this.#source, this.#layout)
    this.#finds += 1
    if (this.#finds === 1) return iterator.skip(record)
    this.#marks ??= new RecordIterator(this.#source, this.#layout).marks()
    const mark = Math.min(Math.floor(record / recordsPerMark), this.#marks.length - 1)
    iterator.moveTo(mark * recordsPerMark, this.#marks[mark] ?? this.#layout.start)
    return iterator.skip(record - mark * recordsPerMark)
  }
}

/** One object for all results: `for … of` and spreading look at it before they ask for the next. */
interface MutableResult {
  done: boolean
  value: LogRecord | undefined
}

/**
 * Each step from one length to the next waits for memory, once the batch is in no cache of the
 * processor: from the nearest mark there are few.
 */
const recordsPerMark = 8

/** An int32 more or less than this is still exact. */
const moderateTimestampMax = 2 ** 52

// Grammar of a record of magic 2, from Kafka's `DefaultRecord`.
//
//   record  = length          varint    bytes behind this field
//             attributes      int8      unused
//             timestampDelta  varlong
//             offsetDelta     varint
//             keySize         varint    -1 null
//             key
//             valueSize       varint    -1 null
//             value
//             headerCount     varint
//             header*
//   header  = keySize         varint
//             key                       UTF-8
//             valueSize       varint    -1 null
//             value
class RecordIterator implements Iterator<LogRecord> {
  readonly #source: RecordSource
  readonly #cursor: ByteCursor
  readonly #layout: RecordLayout
  readonly #isBaseModerate: boolean
  readonly #result: MutableResult = { done: false, value: undefined }
  #index = 0
  #previousOffsetDelta = -1
  /** What is used again; null where every record is an object of its own, or none was made yet. */
  #record: LogRecord | null = null

  constructor(source: RecordSource, layout: RecordLayout) {
    this.#source = source
    this.#layout = layout
    this.#isBaseModerate = Math.abs(source.baseTimestamp) <= moderateTimestampMax
    this.#cursor = new ByteCursor(source.bytes, layout.start, source.bytes.length)
  }

  next(): IteratorResult<LogRecord, undefined> {
    const result = this.#result
    if (this.#index < this.#layout.count) {
      result.value = this.#readRecord()
      this.#index += 1
    } else if (!result.done) {
      const left = this.#source.bytes.length - this.#cursor.position
      if (left !== 0)
        this.#fail(`${left} bytes are left behind the last of ${this.#layout.count} records`)
      result.done = true
      result.value = undefined
    }
    return result as IteratorResult<LogRecord, undefined>
  }

  /** Steps over so many records, by their lengths; as many as there are. */
  skip(records: number): this {
    const cursor = this.#cursor
    const { bytes, end } = cursor
    let at = cursor.position
    let index = 0
    for (; index < records; index += 1) {
      // Nearly all lengths take one byte or two.
      const first = bytes[at] ?? 0
      const second = first < 0x80 ? 0 : (bytes[at + 1] ?? 0x80)
      const zigzag = (first & 0x7f) | (second << 7)
      const next = at + (first < 0x80 ? 1 : 2) + (zigzag >>> 1)
      if (second >= 0x80 || (zigzag & 1) === 1 || next > end) break
      at = next
    }
    cursor.position = at
    this.#index += index
    return this
  }

  /** Where the first record, and every so many after it, begins, as far as lengths tell. */
  marks(): number[] {
    const marks = [this.#cursor.position]
    for (;;) {
      const before = this.#index
      this.skip(Math.min(recordsPerMark, this.#layout.count - before))
      if (this.#index < before + recordsPerMark) return marks
      marks.push(this.#cursor.position)
    }
  }

  /** Goes on with a record, of which it is known where it begins. */
  moveTo(index: number, position: number): void {
    this.#index = index
    this.#cursor.position = position
  }

  /** Goes to the record with this offset delta; null where there is none. */
  find(offsetDelta: number): LogRecord | null {
    const cursor = this.#cursor
    const bytesEnd = cursor.end
    for (; this.#index < this.#layout.count; this.#index += 1) {
      const start = cursor.position
      const length = cursor.readVarint()
      const end = cursor.position + length
      if (!(length >= 0 && end <= bytesEnd)) this.#fail('its length is not that of a record')
      cursor.position += 1
      if (!cursor.skipVarlong()) this.#fail('its timestamp is cut off')
      const found = cursor.readVarint()
      if (found >= offsetDelta || !(found > this.#previousOffsetDelta)) {
        cursor.position = start
        return this.#recordAt(offsetDelta)
      }
      this.#previousOffsetDelta = found
      cursor.position = end
    }
    return null
  }

  /** The record that begins here, checked, if it is the one that is looked for. */
  #recordAt(offsetDelta: number): LogRecord | null {
    const record = this.#readRecord()
    return this.#previousOffsetDelta === offsetDelta ? record : null
  }

  #readRecord(): LogRecord {
    const cursor = this.#cursor
    const bytesEnd = this.#source.bytes.length
    const length = cursor.readVarint()
    const end = cursor.position + length
    if (!(length >= 0 && end <= bytesEnd)) this.#fail('its length is not that of a record')
    cursor.end = end
    // Skips the attributes; where even they are missing, the next field is.
    cursor.position += 1
    const timestampDelta = this.#readTimestampDelta()
    const offsetDelta = cursor.readVarint()
    if (!(offsetDelta > this.#previousOffsetDelta && offsetDelta <= this.#layout.lastOffsetDelta)) {
      this.#fail(`its offset delta ${offsetDelta} does not rise within the batch's range`)
    }
    this.#previousOffsetDelta = offsetDelta
    const keySize = cursor.readVarint()
    const keyAt = cursor.position
    if (!(keySize >= -1 && keyAt + keySize <= end)) this.#fail('its key has an impossible size')
    if (keySize > 0) cursor.position = keyAt + keySize
    const valueSize = cursor.readVarint()
    const valueAt = cursor.position
    if (!(valueSize >= -1 && valueAt + valueSize <= end)) {
      this.#fail('its value has an impossible size')
    }
    if (valueSize > 0) cursor.position = valueAt + valueSize
    const headerCount = cursor.readVarint()
    if (headerCount !== 0) this.#skipHeaders(headerCount)
    if (cursor.position !== end) this.#fail('its fields do not add up to its length')
    cursor.end = bytesEnd
    const used = this.#record
    if (used !== null) {
      return used.moveTo(
        offsetDelta,
        timestampDelta,
        keyAt,
        keySize,
        valueAt,
        valueSize,
        headerCount,
      )
    }
    const record = new LogRecord(
      this.#source,
      offsetDelta,
      timestampDelta,
      keyAt,
      keySize,
      valueAt,
      valueSize,
      headerCount,
    )
    if (this.#layout.reuseRecord) this.#record = record
    return record
  }

  #readTimestampDelta(): number {
    if (this.#layout.ignoresTimestamps) {
      if (!this.#cursor.skipVarlong()) this.#fail('its timestamp is cut off')
      return 0
    }
    const delta = this.#cursor.readVarlong()
    // Nearly every delta is an int32 and every base far from the limit: no sum to be checked then.
    const isNear = delta === (delta | 0) && this.#isBaseModerate
    if (!isNear && !Number.isSafeInteger(this.#source.baseTimestamp + delta)) {
      this.#fail('its timestamp is cut off or beyond 2^53')
    }
    return delta
  }

  #skipHeaders(count: number): void {
    const cursor = this.#cursor
    // The least header has two bytes, so an impossible count is refused before any work is done.
    if (!(count >= 0 && count * 2 <= cursor.end - cursor.position)) {
      this.#fail('it has an impossible number of headers')
    }
    for (let index = 0; index < count; index++) {
      const keySize = cursor.readVarint()
      if (!(keySize >= 0 && cursor.position + keySize <= cursor.end)) {
        this.#fail('a header key has an impossible size')
      }
      cursor.position += keySize
      const valueSize = cursor.readVarint()
      if (!(valueSize >= -1 && cursor.position + valueSize <= cursor.end)) {
        this.#fail('a header value has an impossible size')
      }
      if (valueSize > 0) cursor.position += valueSize
    }
  }

  #fail(reason: string): never {
    const what = this.#index < this.#layout.count ? `record ${this.#index}: ` : ''
    throw new CorruptBatchError(`${what}${reason}`, this.#source.position)
  }
}
