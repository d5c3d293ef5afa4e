import type { Log } from '@varve/log'
import type { Batch } from '@varve/record'

/** A record as it was appended. */
export interface LedgerRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly producerId: number
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

  /** The newest committed value of every key below an offset; deleted ones are not there. */
  latest(below: number): Map<string, string> {
    const latest = new Map<string, string>()
    for (const { offset, key, value } of this.inOrder()) {
      if (key === null || offset >= below || !this.committed.has(offset)) continue
      if (value === null) latest.delete(key)
      else latest.set(key, value)
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
    for (const { offset, key, value, timestamp } of batch.records()) {
      const texts = { key: key?.toString() ?? null, value: value?.toString() ?? null }
      records.push({ offset, timestamp, producerId: batch.producerId, ...texts })
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
}

/** What is wrong with what is left; empty when nothing is. */
export function problemsOf(
  ledger: CompactionLedger,
  left: Left,
  log: { readonly logStartOffset: number; readonly lastStableOffset: number },
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
  problems.push(...latestProblems(ledger, left, log))
  problems.push(...leftoverProblems(ledger, left, clean))
  problems.push(...tombstoneProblems(ledger, left, log, clean))
  return problems
}

function sorted(json: string): string {
  return JSON.stringify(Object.entries(JSON.parse(json) as object).sort())
}

/** Readers of committed records see exactly the model's latest values. */
function latestProblems(
  ledger: CompactionLedger,
  left: Left,
  { lastStableOffset }: { readonly lastStableOffset: number },
): readonly string[] {
  const expected = ledger.latest(lastStableOffset)
  const found = new Map<string, string>()
  for (const { offset, key, value } of left.records) {
    if (key === null || !left.committed.has(offset)) continue
    if (value === null) found.delete(key)
    else found.set(key, value)
  }
  const keys = new Set([...expected.keys(), ...found.keys()])
  return [...keys]
    .filter((key) => expected.get(key) !== found.get(key))
    .map((key) => `${key} is ${found.get(key)}, not ${expected.get(key)}`)
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
  { logStartOffset }: { readonly logStartOffset: number },
  { cleanedOffset, nowMs, deleteRetentionMs }: CleanState,
): readonly string[] {
  const there = new Set(left.records.map(({ offset }) => offset))
  const newest = ledger.newestOffsets(Number.POSITIVE_INFINITY)
  const problems: string[] = []
  for (const [key, offset] of ledger.newestOffsets(cleanedOffset)) {
    if (ledger.records.get(offset)?.value !== null || offset < logStartOffset) continue
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
