import { CorruptBatchError, InvalidArgumentError } from './errors.ts'
import type { LogRecord } from './log-record.ts'
import type { RecordBatch } from './record-batch.ts'
import { RecordBatchBuilder } from './record-batch-builder.ts'
import type { Offset, Timestamp } from './units.ts'

// Control records are written by the log itself, for readers of the log, not for its consumers.
//
//   key        = version int16, type int16               Kafka's `ControlRecordType`
//   value      = version int16, coordinatorEpoch int32   of types 0 and 1, `EndTransactionMarker`
//
// Later versions may be longer; what is known of them stays in front.
const keyTypeAt = 2
const keyBytes: number = keyTypeAt + 2
const coordinatorEpochAt = 2
const markerBytes: number = coordinatorEpochAt + 4

const controlTypes = [
  'abort',
  'commit',
  'leaderChange',
  'snapshotHeader',
  'snapshotFooter',
  'kraftVersion',
  'kraftVoters',
] as const

/** What a control record says; 'unknown' are types of later versions, to be skipped. */
export type ControlType = (typeof controlTypes)[number] | 'unknown'

/** The end of a transaction. */
export interface EndTransactionMarker {
  readonly type: 'abort' | 'commit'
  readonly coordinatorEpoch: number
}

export interface EndTransactionMarkerOptions extends EndTransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly timestamp: Timestamp
  /** Usually stamped later, by the log. @defaultValue 0 */
  readonly baseOffset?: Offset
  /** Usually stamped later, by the log. @defaultValue -1, unknown */
  readonly leaderEpoch?: number
}

/**
 * The type of a record of a control batch.
 *
 * @throws {CorruptBatchError} when the key is not that of a control record.
 */
export function controlTypeOf(record: LogRecord): ControlType {
  const { key } = record
  if (key === null || key.length < keyBytes) {
    return fail(record, `has a key of ${record.keySize} bytes, fewer than ${keyBytes}`)
  }
  const version = key.readInt16BE(0)
  if (version < 0) return fail(record, `has a key of version ${version}`)
  return controlTypes[key.readInt16BE(keyTypeAt)] ?? 'unknown'
}

/**
 * What an end-of-transaction marker says.
 *
 * @throws {CorruptBatchError} when the record is none, its value is too short, or its version
 *   negative; later versions are read as far as this one goes.
 */
export function readEndTransactionMarker(record: LogRecord): EndTransactionMarker {
  const type = controlTypeOf(record)
  if (type !== 'abort' && type !== 'commit') return fail(record, 'does not end a transaction')
  const { value } = record
  if (value === null || value.length < 2) return fail(record, 'has a value without a version')
  const version = value.readInt16BE(0)
  if (version < 0) return fail(record, `has a value of version ${version}`)
  if (value.length < markerBytes) {
    return fail(record, `has a value of ${value.length} bytes, fewer than ${markerBytes}`)
  }
  return { type, coordinatorEpoch: value.readInt32BE(coordinatorEpochAt) }
}

/**
 * The batch that ends a producer's transaction: one control record, 78 bytes.
 *
 * @throws {InvalidArgumentError} when the type is another or a number outside its range.
 */
export function endTransactionMarkerBatch(options: EndTransactionMarkerOptions): RecordBatch {
  const { type, coordinatorEpoch, timestamp, ...batchOptions } = options
  if (type !== 'abort' && type !== 'commit') {
    throw new InvalidArgumentError('type', type, 'must be abort or commit')
  }
  if (coordinatorEpoch !== (coordinatorEpoch | 0)) {
    throw new InvalidArgumentError('coordinatorEpoch', coordinatorEpoch, 'must be an int32')
  }
  const key = Buffer.alloc(keyBytes)
  key.writeInt16BE(controlTypes.indexOf(type), keyTypeAt)
  const value = Buffer.alloc(markerBytes)
  value.writeInt32BE(coordinatorEpoch, coordinatorEpochAt)
  return new RecordBatchBuilder({ ...batchOptions, isTransactional: true, isControl: true })
    .append({ key, value, timestamp })
    .build()
}

function fail(record: LogRecord, what: string): never {
  throw new CorruptBatchError(`control record ${record.offset} ${what}`, record.batchPosition)
}
