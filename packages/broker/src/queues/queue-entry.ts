import { ownExpiryOf } from '@varve/cleaner'
import { InvalidArgumentError, type LogRecord, type Offset, type Timestamp } from '@varve/record'
import type { RawRecord } from '../handling/handled-record.ts'

/** Header of a record that is not to be delivered before some time: ms since the epoch, decimal. */
export const deliverAtHeader = 'varve.queue.deliver-at'

/** One record in a queue's window, and how its delivery stands. */
export interface QueueEntry {
  readonly offset: Offset
  readonly timestamp: Timestamp
  /** What orders it; null where nothing does. */
  readonly orderKey: string | null
  readonly sizeBytes: number
  /** Not delivered from then on, by the record's own wish; Infinity for ever. */
  readonly expiresAt: Timestamp
  /** Null where it has to be read again. */
  record: RawRecord | null
  state: 'available' | 'acquired' | 'finished'
  deliveryCount: number
  /** Not delivered before, in ms since the epoch; 0 at once. */
  availableAt: Timestamp
  /** Whether `availableAt` is in the queue's state, and not only in the record. */
  isPostponed: boolean
  /** Goes up with each change of state: what was begun in an earlier one is void. */
  turn: number
}

export function makeEntry(
  record: LogRecord,
  place: { readonly topic: string; readonly partition: number },
  options: { readonly isOrdered: boolean; readonly keepsRecord: boolean },
): QueueEntry {
  const { offset, timestamp } = record
  const key = options.isOrdered ? record.key : null
  const raw = options.keepsRecord ? rawRecordOf(record, place) : null
  return {
    offset,
    timestamp,
    orderKey: key?.toString('latin1') ?? null,
    sizeBytes: Math.max(0, record.keySize) + Math.max(0, record.valueSize),
    expiresAt: ownExpiryOf(record),
    record: raw,
    state: 'available',
    deliveryCount: 0,
    availableAt: deliverAtOf(record),
    isPostponed: false,
    turn: 0,
  }
}

/** Throws InvalidArgumentError for a delay that is none. Parts of a millisecond are waited for. */
export function timeAfter(now: Timestamp, delayMs: number): Timestamp {
  const time = Math.ceil(now + delayMs)
  if (delayMs >= 0 && Number.isSafeInteger(time)) return time
  throw new InvalidArgumentError('delayMs', delayMs, 'must be a number of milliseconds, 0 at least')
}

/** Whether an entry's time is over, by its topic's time to live (-1 none) or its own. */
export function hasExpired(entry: QueueEntry, ttlMs: number, now: Timestamp): boolean {
  const { timestamp, expiresAt } = entry
  return expiresAt <= now || (ttlMs >= 0 && timestamp >= 0 && timestamp + ttlMs <= now)
}

/** In memory of its own: the batch that it came in is not kept for its sake. */
export function rawRecordOf(
  record: LogRecord,
  place: { readonly topic: string; readonly partition: number },
): RawRecord {
  const { offset, timestamp, key, value, headers } = record
  return {
    topic: place.topic,
    partition: place.partition,
    offset,
    timestamp,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: headers.map((header) => ({
      key: header.key,
      value: header.value === null ? null : Buffer.from(header.value),
    })),
  }
}

function deliverAtOf(record: LogRecord): Timestamp {
  for (const { key, value } of record.headers) {
    if (key !== deliverAtHeader || value === null || value.length > 16) continue
    const time = Number(value.toString())
    if (Number.isSafeInteger(time) && time > 0) return time
  }
  return 0
}
