import type { Log } from '@varve/log'
import type { Batch } from '@varve/record'
import { ownExpiryOf } from '../../src/policy/record-expiry.ts'

/** A record as it was appended. */
export interface LedgerRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly producerId: number
  /** By its own header; -1 never. */
  readonly expiresAtMs: number
}

/** Everything that was ever appended, and what has to be true of what is left of it. */
export class CompactionLedger {
  readonly records = new Map<number, LedgerRecord>()
  /** Offsets of records whose transaction was committed, or that are in none. */
  readonly committed = new Set<number>()
  readonly aborted = new Set<number>()
  /** When the tombstone at an offset was compacted for the first time. */
  readonly cleanedAtMs = new Map<number, number>()

  append(record: LedgerRecord, isDecided: boolean): void {
    this.records.set(record.offset, record)
    if (isDecided) this.committed.add(record.offset)
  }

  decide(offsets: readonly number[], isCommitted: boolean): void {
    for (const offset of offsets) (isCommitted ? this.committed : this.aborted).add(offset)
  }

  /** The newest committed record of every key from one offset to below another. */
  latest(from: number, below: number): Map<string, LedgerRecord> {
    const latest = new Map<string, LedgerRecord>()
    for (const record of this.inOrder()) {
      const { offset, key } = record
      if (key === null || offset >= below || !this.committed.has(offset)) continue
      if (offset >= from) latest.set(key, record)
    }
    return latest
  }

  /** Offset of the newest committed record of every key below an offset, tombstones too. */
  newestOffsets(below: number): Map<string, number> {
    const newest = new Map<string, number>()
    for (const { offset, key } of this.inOrder()) {
      if (key !== null && offset < below && this.committed.has(offset)) newest.set(key, offset)
    }
    return newest
  }

  inOrder(): readonly LedgerRecord[] {
    return [...this.records.values()].sort((one, two) => one.offset - two.offset)
  }
}

/** What is left in a log, as its readers see it. */
export interface Left {
  readonly batches: readonly Batch[]
  /** Everything that is not in a control batch. */
  readonly records: readonly LedgerRecord[]
  /** Offsets that a reader of committed records is given. */
  readonly committed: ReadonlySet<number>
}

export async function readLeft(log: Log): Promise<Left> {
  const batches: Batch[] = []
  const records: LedgerRecord[] = []
  for await (const batch of log.reader({ from: log.logStartOffset })) {
    batches.push(batch)
    if (batch.isControl) continue
    for (const record of batch.records()) {
      const { offset, key, value, timestamp } = record
      const texts = { key: key?.toString() ?? null, value: value?.toString() ?? null }
      const expiresAtMs = ownExpiryOf(record)
      records.push({
        ...{ offset, timestamp, producerId: batch.producerId, ...texts },
        expiresAtMs: Number.isFinite(expiresAtMs) ? expiresAtMs : -1,
      })
    }
  }
  const committed = new Set<number>()
  const reader = log.reader({ from: log.logStartOffset, isolation: 'committed' })
  for await (const { offset } of reader.records()) committed.add(offset)
  return { batches, records, committed }
}

export interface CleanState {
  /** Everything below was compacted. */
  readonly cleanedOffset: number
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** -1 for ever. */
  readonly recordTtlMs: number
  /** How old records may become before retention takes them; null: it takes none. */
  readonly retentionMs: number | null
}

/** Whether nobody is to see a record any more. */
export function isOver(
  { timestamp, expiresAtMs }: LedgerRecord,
  { nowMs, recordTtlMs }: Pick<CleanState, 'nowMs' | 'recordTtlMs'>,
): boolean {
  const isByTopic = recordTtlMs >= 0 && timestamp + recordTtlMs <= nowMs
  return isByTopic || (expiresAtMs >= 0 && expiresAtMs <= nowMs)
}

interface LogEnds {
  readonly logStartOffset: number
  readonly lastStableOffset: number
}

/** What is wrong with what is left; empty when nothing is. */
export function problemsOf(
  ledger: CompactionLedger,
  left: Left,
  log: LogEnds,
  clean: CleanState,
): readonly string[] {
  const problems: string[] = []
  let last = -1
  for (const record of left.records) {
    if (record.offset <= last) problems.push(`offset ${record.offset} after ${last}`)
    last = record.offset
    const appended = JSON.stringify(ledger.records.get(record.offset))
    const found = JSON.stringify({ ...record })
    if (appended === undefined || sorted(appended) !== sorted(found)) {
      problems.push(`${found} was appended as ${appended}`)
    }
  }
  problems.push(...latestProblems(ledger, left, log, clean))
  problems.push(...retentionProblems(ledger, log, clean))
  problems.push(...leftoverProblems(ledger, left, clean))
  problems.push(...tombstoneProblems(ledger, left, log, clean))
  return problems
}

function sorted(json: string): string {
  return JSON.stringify(Object.entries(JSON.parse(json) as object).sort())
}

/**
 * Readers of committed records see exactly the model's latest values: of a key whose newest record
 * was deleted, by retention or because its time was over, nothing, and no older one comes back.
 */
function latestProblems(
  ledger: CompactionLedger,
  left: Left,
  { logStartOffset, lastStableOffset }: LogEnds,
  clean: CleanState,
): readonly string[] {
  const valuesOf = (records: Iterable<readonly [string, LedgerRecord]>): Map<string, string> => {
    const values = new Map<string, string>()
    for (const [key, record] of records) {
      if (record.value !== null && !isOver(record, clean)) values.set(key, record.value)
    }
    return values
  }
  const expected = valuesOf(ledger.latest(logStartOffset, lastStableOffset))
  const newest = new Map<string, LedgerRecord>()
  for (const record of left.records) {
    if (record.key !== null && left.committed.has(record.offset)) newest.set(record.key, record)
  }
  const found = valuesOf(newest)
  const keys = new Set([...expected.keys(), ...found.keys()])
  return [...keys]
    .filter((key) => expected.get(key) !== found.get(key))
    .map((key) => `${key} is ${found.get(key)}, not ${expected.get(key)}`)
}

/** Retention has taken no latest value before its time. Others may have gone by compaction. */
function retentionProblems(
  ledger: CompactionLedger,
  { logStartOffset, lastStableOffset }: LogEnds,
  clean: CleanState,
): readonly string[] {
  const { nowMs, retentionMs } = clean
  return [...ledger.latest(0, lastStableOffset).values()]
    .filter((record) => record.offset < logStartOffset)
    .filter((record) => record.value !== null && !isOver(record, clean))
    .filter(({ timestamp }) => retentionMs === null || timestamp + retentionMs >= nowMs)
    .map(({ key, offset }) => `retention took ${key} at ${offset} too early`)
}

/** Compaction has done its work: nothing superseded, aborted or without a key is left. */
function leftoverProblems(
  ledger: CompactionLedger,
  left: Left,
  { cleanedOffset }: CleanState,
): readonly string[] {
  const newest = ledger.newestOffsets(cleanedOffset)
  return left.records
    .filter(({ offset }) => offset < cleanedOffset)
    .filter(({ offset, key }) => key === null || newest.get(key) !== offset)
    .map(({ offset, key }) => `${key} at ${offset} is left over`)
}

/** What says that a key was deleted stays for as long as was promised after it was compacted. */
function tombstoneProblems(
  ledger: CompactionLedger,
  left: Left,
  { logStartOffset }: LogEnds,
  clean: CleanState,
): readonly string[] {
  const { cleanedOffset, nowMs, deleteRetentionMs } = clean
  const there = new Set(left.records.map(({ offset }) => offset))
  const newest = ledger.newestOffsets(Number.POSITIVE_INFINITY)
  const problems: string[] = []
  for (const [key, offset] of ledger.newestOffsets(cleanedOffset)) {
    const record = ledger.records.get(offset)
    if (record?.value !== null || offset < logStartOffset || isOver(record, clean)) continue
    // A crash may have come when a newer one had taken its place already.
    if (newest.get(key) !== offset) continue
    const cleanedAtMs = ledger.cleanedAtMs.get(offset)
    if (cleanedAtMs === undefined) {
      const isEarly = !there.has(offset) && deleteRetentionMs > 0
      if (isEarly) problems.push(`the tombstone of ${key} at ${offset} went at once`)
      ledger.cleanedAtMs.set(offset, nowMs)
    } else if (!there.has(offset) && nowMs < cleanedAtMs + deleteRetentionMs) {
      problems.push(`the tombstone of ${key} at ${offset} went too early`)
    }
  }
  return problems
}
