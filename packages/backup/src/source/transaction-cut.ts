import { CorruptLogError, type ReadOnlyLog } from '@varve/log'
import type { Batch, Offset, Timestamp } from '@varve/record'
import type { PartitionSnapshot } from './source-snapshot.ts'

// Of Kafka's TransactionLogValue (see the broker's transaction-records.ts): version, producer id,
// epoch and time-out, the status, and then the partitions, before the time of the last update.
const [producerIdField, statusField, partitionsField] = [2, 16, 17]
/** Of version 0, which ends with two times. */
const lastUpdateFromEnd = 16
/** Kafka's PrepareCommit and PrepareAbort. */
const preparedStatuses = [2, 3]
/** How far back markers are looked for that were written shortly before a look. */
const lookBack = 2000

interface LastChange {
  readonly ms: Timestamp
  readonly isPrepared: boolean
}

/**
 * What a transaction log says at one moment: when the transaction of each producer changed last.
 * These times rise with every change, and markers have the time of the decision that they carry
 * out: so they tell which decisions are in that log, and which came later.
 */
export class TransactionTimes {
  readonly #last = new Map<number, LastChange>()

  /** What is in a log below its end. */
  async read(log: ReadOnlyLog, end: Offset): Promise<void> {
    for await (const batch of batchesOf(log, log.logStartOffset, end)) {
      if (batch.isControl) continue
      for (const { value } of batch.records()) if (value !== null) this.#note(value)
    }
  }

  /** Whether a marker carries out what is decided in this log. */
  isDecided(producerId: number, markerMs: Timestamp): boolean {
    return markerMs <= (this.#last.get(producerId)?.ms ?? -1)
  }

  /** When what is being carried out was decided; null when nothing is. */
  preparedMs(producerId: number): Timestamp | null {
    const last = this.#last.get(producerId)
    return last?.isPrepared === true ? last.ms : null
  }

  #note(value: Buffer): void {
    try {
      const position = lastUpdateIn(value)
      if (position === null) return
      const producerId = Number(value.readBigInt64BE(producerIdField))
      const ms = Number(value.readBigInt64BE(position))
      if (ms < (this.#last.get(producerId)?.ms ?? -1)) return
      const isPrepared = preparedStatuses.includes(value.readInt8(statusField))
      this.#last.set(producerId, { ms, isPrepared })
    } catch (error) {
      // It ends within a field: nobody can say what it says.
      if (!(error instanceof RangeError)) throw error
    }
  }
}

/** Null for versions that are not known. Throws RangeError. */
function lastUpdateIn(value: Buffer): number | null {
  const version = value.readInt16BE(0)
  if (version === 0) return value.length - lastUpdateFromEnd
  if (version !== 1) return null
  let position = partitionsField
  const varint = (): number => {
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = value.readUInt8(position++)
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return result
    }
    throw new RangeError('a varint has more than 5 bytes')
  }
  for (let topics = varint() - 1; topics > 0; topics--) {
    const nameBytes = varint() - 1
    position += nameBytes
    const partitions = varint() - 1
    position += 4 * partitions
    if (varint() !== 0) return null
  }
  return position
}

/**
 * Where a partition has to end that was looked at after the transaction log was: before the first
 * marker of a decision that is not in that log. All that was there when that was looked at is below
 * it; a transaction that is decided there has all its records, and one that is not has no marker.
 *
 * @param from an end of the partition from before the transaction log was looked at
 */
export async function stableEnd(
  log: ReadOnlyLog,
  from: Offset,
  end: Offset,
  times: TransactionTimes,
): Promise<Offset> {
  for await (const batch of batchesOf(log, from, end)) {
    const isMarker = batch.isControl && !times.isDecided(batch.producerId, batch.maxTimestamp)
    if (isMarker) return batch.baseOffset
  }
  return end
}

/**
 * Where a partition has to end that must not say more than was so when the transaction log was
 * looked at: offsets that groups have committed. At `from`, or behind what is decided since.
 *
 * @param from an end of the partition from before the transaction log was looked at
 */
export async function decidedEnd(
  log: ReadOnlyLog,
  from: Offset,
  end: Offset,
  times: TransactionTimes,
): Promise<Offset> {
  let decided = Math.min(from, end)
  const include = (next: Offset): void => {
    decided = Math.max(decided, next)
  }
  /** Behind the last batch of each transaction that has no marker yet. */
  const open = new Map<number, Offset>()
  /** The last marker of each producer. */
  const markers = new Map<number, Timestamp>()
  for await (const batch of batchesOf(log, Math.max(0, from - lookBack), end)) {
    const { producerId, maxTimestamp } = batch
    if (!batch.isControl) {
      if (batch.isTransactional) open.set(producerId, batch.nextOffset)
      continue
    }
    if (times.isDecided(producerId, maxTimestamp)) {
      include(open.get(producerId) ?? 0)
      // One that is being carried out will be again: this marker may be younger.
      if (times.preparedMs(producerId) !== maxTimestamp) include(batch.nextOffset)
    }
    open.delete(producerId)
    markers.set(producerId, maxTimestamp)
  }
  for (const [producerId, next] of open) {
    const preparedMs = times.preparedMs(producerId)
    if (preparedMs !== null && markers.get(producerId) !== preparedMs) include(next)
  }
  return decided
}

/** Without what lies behind an offset. */
export function cutSnapshot(partition: PartitionSnapshot, end: Offset): PartitionSnapshot {
  if (end >= partition.endOffset) return partition
  const segments = partition.segments
    .filter(({ baseOffset }) => baseOffset < end)
    .map((segment) => {
      const isWhole = segment.nextOffset <= end
      return isWhole ? segment : { ...segment, isSealed: false, nextOffset: end }
    })
  const endOffset = Math.max(end, partition.logStartOffset)
  return { ...partition, endOffset, segments }
}

/** Those before an offset, as far as they can be read: damage is found where they are copied. */
async function* batchesOf(log: ReadOnlyLog, from: Offset, end: Offset): AsyncIterable<Batch> {
  const start = Math.max(from, log.logStartOffset)
  if (start >= end) return
  try {
    for await (const batch of log.reader({ from: start, reuseMemory: true })) {
      if (batch.baseOffset >= end) return
      yield batch
    }
  } catch (error) {
    if (!(error instanceof CorruptLogError)) throw error
  }
}
