import { CorruptLogError, type ReadOnlyLog } from '@varve/log'
import type { Batch, Offset, Timestamp } from '@varve/record'
import type { PartitionSnapshot } from './source-snapshot.ts'

// Of Kafka's TransactionLogValue (see the broker's transaction-records.ts): version, producer id,
// epoch and time-out, the status, and then the partitions, before the time of the last update.
const [producerIdField, statusField, partitionsField] = [2, 16, 17]
/** Kafka's PrepareCommit and PrepareAbort. */
const preparedStatuses = [2, 3]
/** How far back markers are looked for, at first. */
const lookBack = 2000

interface LastChange {
  readonly ms: Timestamp
  /** Of a transaction that is being carried out, the partitions; null of any other. */
  readonly carriedOutIn: ReadonlySet<string> | null
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

  /** What is being carried out of a producer; null when nothing is. */
  carriedOut(producerId: number): { ms: Timestamp; in: ReadonlySet<string> } | null {
    const { ms = -1, carriedOutIn = null } = this.#last.get(producerId) ?? {}
    return carriedOutIn && { ms, in: carriedOutIn }
  }

  #note(value: Buffer): void {
    try {
      const version = value.readInt16BE(0)
      if (version > 1) return
      const { partitions, position } = partitionsIn(value, version === 1)
      const producerId = Number(value.readBigInt64BE(producerIdField))
      const ms = Number(value.readBigInt64BE(position))
      if (ms < (this.#last.get(producerId)?.ms ?? -1)) return
      const isPrepared = preparedStatuses.includes(value.readInt8(statusField))
      this.#last.set(producerId, { ms, carriedOutIn: isPrepared ? partitions : null })
    } catch (error) {
      // It ends within a field: nobody can say what it says.
      if (!(error instanceof RangeError)) throw error
    }
  }
}

/** The partitions in a value, and where they end. Throws RangeError. */
function partitionsIn(
  value: Buffer,
  isFlexible: boolean,
): { readonly partitions: ReadonlySet<string>; readonly position: number } {
  const partitions = new Set<string>()
  let position = partitionsField
  const take = (size: number): number => {
    position += size
    return position - size
  }
  const varint = (): number => {
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = value.readUInt8(take(1))
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return result
    }
    throw new RangeError('a varint has more than 5 bytes')
  }
  const count = (): number => (isFlexible ? varint() - 1 : value.readInt32BE(take(4)))
  for (let topics = count(); topics > 0; topics--) {
    const nameBytes = isFlexible ? varint() - 1 : value.readInt16BE(take(2))
    const start = take(nameBytes)
    const topic = value.toString('utf8', start, start + nameBytes)
    for (let left = count(); left > 0; left--) {
      partitions.add(`${topic}-${value.readInt32BE(take(4))}`)
    }
    // Tagged fields, of which there are none.
    if (isFlexible && varint() !== 0) throw new RangeError('a topic has fields that are not known')
  }
  return { partitions, position }
}

/** A partition that is looked at after the transaction log was. */
export interface TailLook {
  readonly log: ReadOnlyLog
  /** An end of it from before the transaction log was looked at. */
  readonly from: Offset
  readonly end: Offset
  readonly times: TransactionTimes
}

/**
 * Where a partition has to end: before the first marker of a decision that is not in the
 * transaction log, or the first record of a transaction that came after one which is being carried
 * out, and would be carried out with it. All that was there when that was looked at is below it; a
 * transaction that is decided there has all its records, and one that is not has no marker.
 */
export function stableEnd(look: TailLook): Promise<Offset> {
  return withEnoughKnown(look, async (tail) => {
    const { from, end, times } = look
    for await (const batch of tail.batches()) {
      if (batch.baseOffset < from) continue
      const isLater = batch.isControl
        ? !times.isDecided(batch.producerId, batch.maxTimestamp)
        : batch.isTransactional && tail.isAfterCarriedOut(batch.producerId)
      if (isLater) return batch.baseOffset
    }
    return end
  })
}

/**
 * Where a partition has to end that must not say more than was so when the transaction log was
 * looked at: offsets that groups have committed. Where it was before, or behind what is decided
 * since.
 */
export function decidedEnd(look: TailLook): Promise<Offset> {
  return withEnoughKnown(look, async (tail) => {
    const { from, end, times } = look
    let decided = Math.min(from, end)
    /** Behind the last batch of each transaction that has no marker yet. */
    const open = new Map<number, Offset>()
    for await (const batch of tail.batches()) {
      const { isControl, isTransactional, producerId, maxTimestamp, nextOffset } = batch
      if (!isControl) {
        const isOpen = isTransactional && !tail.isAfterCarriedOut(producerId)
        if (isOpen) open.set(producerId, nextOffset)
        continue
      }
      if (times.isDecided(producerId, maxTimestamp)) {
        decided = Math.max(decided, open.get(producerId) ?? 0)
        // One that is being carried out will be again: this marker may be younger.
        if (times.carriedOut(producerId)?.ms !== maxTimestamp) {
          decided = Math.max(decided, nextOffset)
        }
      }
      open.delete(producerId)
    }
    for (const [producerId, next] of open) {
      if (times.carriedOut(producerId) !== null) decided = Math.max(decided, next)
    }
    return decided
  })
}

/** Looks further back, until all markers are known that matter. */
async function withEnoughKnown(
  look: TailLook,
  find: (tail: Tail) => Promise<Offset>,
): Promise<Offset> {
  for (let back = lookBack; ; back *= 10) {
    const tail = new Tail(look, Math.max(look.log.logStartOffset, look.from - back))
    const end = await find(tail)
    if (tail.isKnown) return end
  }
}

/** The last batches of a partition, and the markers among them. */
class Tail {
  readonly #look: TailLook
  readonly #start: Offset
  readonly #markers = new Map<number, Timestamp>()
  /** Producers of which a record came before any marker that is known. */
  readonly #unknown = new Set<number>()

  constructor(look: TailLook, start: Offset) {
    this.#look = look
    this.#start = start
  }

  async *batches(): AsyncIterable<Batch> {
    const { log, end } = this.#look
    for await (const batch of batchesOf(log, this.#start, end)) {
      yield batch
      if (!batch.isControl) continue
      this.#markers.set(batch.producerId, batch.maxTimestamp)
      this.#unknown.delete(batch.producerId)
    }
  }

  /** Whether what was asked could be told. */
  get isKnown(): boolean {
    return this.#unknown.size === 0
  }

  /**
   * Whether a record here belongs to a transaction that came after the one of its producer which
   * is being carried out.
   */
  isAfterCarriedOut(producerId: number): boolean {
    const { log, times } = this.#look
    const carriedOut = times.carriedOut(producerId)
    if (carriedOut === null) return false
    if (!carriedOut.in.has(log.name)) return true
    const last = this.#markers.get(producerId)
    if (last === undefined && this.#start > log.logStartOffset) this.#unknown.add(producerId)
    return last !== undefined && last >= carriedOut.ms
  }
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
