import type { Batch, LogRecord, Offset, Timestamp } from '@varve/record'

// What was asked of a log and what it promised, each with the moment: the number of file-system
// operations there had been. From that follows what must be found after a crash at any moment.

/** A record as it must be found again, whatever happened, as long as it is found. */
export interface LedgerRecord {
  readonly offset: Offset
  /** Everything about the record but its offset. */
  readonly fingerprint: string
  readonly timestamp: Timestamp
  readonly producerId: number
  readonly isTransactional: boolean
  readonly control: 'commit' | 'abort' | null
}

/** How a process ended: what was written survives its death, not a loss of power. */
export type Ending = 'kill' | 'power'

/** Records that one replacement takes out of the log, all of them or none. */
export interface ReplacementExpectation {
  readonly removed: ReadonlySet<Offset>
  readonly state: 'applied' | 'either'
}

/** What must be found of one log. */
export interface LogExpectation {
  readonly name: string
  /** Whether it may be missing: it was being made or deleted. */
  readonly isOptional: boolean
  /** All that was ever submitted, by offset from 0. */
  readonly records: readonly LedgerRecord[]
  /** The log may not end before this offset. */
  readonly endMin: Offset
  readonly startMin: Offset
  readonly startMax: Offset
  readonly replacements: readonly ReplacementExpectation[]
}

export type DirectoryExpectation = ReadonlyMap<string, LogExpectation>

interface Span {
  readonly start: number
  /** When it was acknowledged; null before. */
  end: number | null
}

interface Acknowledgement {
  readonly at: number
  readonly endOffset: Offset
}

/** One log from its making to its deletion. */
export class LogLedger {
  readonly name: string
  readonly #making: Span
  #deletion: Span = { start: Number.POSITIVE_INFINITY, end: null }
  /** A new list each time the log lost its end to a crash. */
  readonly #versions: Array<{ readonly from: number; readonly records: LedgerRecord[] }>
  readonly #written: Acknowledgement[] = []
  readonly #flushed: Acknowledgement[] = []
  readonly #starts: Array<Span & { readonly offset: Offset }> = []
  readonly #replacements: Array<Span & { readonly removed: ReadonlySet<Offset> }> = []

  constructor(name: string, making: Span, records: readonly LedgerRecord[] = []) {
    this.name = name
    this.#making = making
    this.#versions = [{ from: 0, records: [...records] }]
  }

  /** A log that a later life found so, durable from its operation `at` on. */
  static found(expected: LogExpectation, found: FoundLog, at: number): LogLedger {
    const records = expected.records.slice(0, found.logEndOffset)
    const ledger = new LogLedger(expected.name, { start: 0, end: 0 }, records)
    ledger.acknowledge('flushed', found.logEndOffset, at)
    ledger.#starts.push({ start: at, end: at, offset: found.logStartOffset })
    for (const { removed } of expected.replacements) {
      if (isApplied(removed, found)) ledger.#replacements.push({ start: at, end: at, removed })
    }
    return ledger
  }

  get records(): LedgerRecord[] {
    return this.#versions.at(-1)?.records ?? []
  }

  get endOffset(): Offset {
    return this.records.length
  }

  get isDeleted(): boolean {
    return this.#deletion.end !== null
  }

  /** Notes records that were handed in: they get the next offsets. Returns the end after them. */
  submit(records: readonly Omit<LedgerRecord, 'offset'>[]): Offset {
    for (const record of records) this.records.push({ ...record, offset: this.endOffset })
    return this.endOffset
  }

  acknowledge(level: 'written' | 'flushed', endOffset: Offset, at: number): void {
    this.#written.push({ at, endOffset })
    if (level === 'flushed') this.#flushed.push({ at, endOffset })
  }

  startDeletingBefore(offset: Offset, at: number): Span {
    const span = { start: at, end: null, offset }
    this.#starts.push(span)
    return span
  }

  startReplacing(removed: ReadonlySet<Offset>, at: number): Span {
    const span = { start: at, end: null, removed }
    this.#replacements.push(span)
    return span
  }

  startDeleting(at: number): Span {
    this.#deletion = { start: at, end: null }
    return this.#deletion
  }

  /** The process was killed; its successor found the log ending here. */
  reopened(endOffset: Offset, at: number): void {
    this.#versions.push({ from: at, records: this.records.slice(0, endOffset) })
    this.acknowledge('flushed', endOffset, at)
  }

  /** What must be found when the process ends after `at` operations; null: no such log. */
  expectation(at: number, ending: Ending): LogExpectation | null {
    if (this.#making.start > at) return null
    const deletion = this.#deletion
    if (deletion.end !== null && deletion.end <= at) return null
    const isMade = this.#making.end !== null && this.#making.end <= at
    const version = this.#versions.findLast(({ from }) => from <= at)
    const starts = this.#starts.filter(({ start }) => start <= at)
    const certain = starts.filter(({ end }) => end !== null && end <= at)
    const replacements = this.#replacements
      .filter(({ start }) => start <= at)
      .map(({ end, removed }) => {
        const isCertain = end !== null && end <= at
        return { removed, state: isCertain ? ('applied' as const) : ('either' as const) }
      })
    return {
      name: this.name,
      isOptional: !isMade || deletion.start <= at,
      records: version?.records ?? [],
      endMin: highest(ending === 'kill' ? this.#written : this.#flushed, at),
      startMin: Math.max(0, ...certain.map(({ offset }) => offset)),
      startMax: Math.max(0, ...starts.map(({ offset }) => offset)),
      replacements,
    }
  }
}

/** All logs of one data directory, those deleted and made again included. */
export class DirectoryLedger {
  readonly #logs: LogLedger[] = []

  make(name: string, at: number): { readonly ledger: LogLedger; readonly span: Span } {
    const span = { start: at, end: null }
    const ledger = new LogLedger(name, span)
    this.#logs.push(ledger)
    return { ledger, span }
  }

  add(ledger: LogLedger): void {
    this.#logs.push(ledger)
  }

  log(name: string): LogLedger {
    const ledger = this.#logs.findLast((log) => log.name === name && !log.isDeleted)
    if (ledger === undefined) throw new Error(`the ledger has no log ${name}`)
    return ledger
  }

  get logs(): readonly LogLedger[] {
    return this.#logs.filter((log) => !log.isDeleted)
  }

  expectation(at: number, ending: Ending): DirectoryExpectation {
    const expectations = new Map<string, LogExpectation>()
    for (const log of this.#logs) {
      const expectation = log.expectation(at, ending)
      if (expectation !== null) expectations.set(log.name, expectation)
    }
    return expectations
  }
}

/** A log as it was found after a crash. */
export interface FoundLog {
  readonly name: string
  readonly logStartOffset: Offset
  readonly logEndOffset: Offset
  readonly lastStableOffset: Offset
  readonly records: readonly LedgerRecord[]
  /** Offsets that a reader of committed records is given, markers left out. */
  readonly committed: readonly Offset[]
}

/** Whether a replacement has happened, by any of its records that are in range; else false. */
export function isApplied(removed: ReadonlySet<Offset>, found: FoundLog): boolean {
  const there = new Set(found.records.map(({ offset }) => offset))
  for (const offset of removed) {
    if (offset >= found.logStartOffset && offset < found.logEndOffset) return !there.has(offset)
  }
  return false
}

export function ledgerRecord(record: {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly string[]
  readonly timestamp: Timestamp
  readonly leaderEpoch: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly sequence: number
  readonly isTransactional: boolean
  readonly control: 'commit' | 'abort' | null
}): Omit<LedgerRecord, 'offset'> {
  const { timestamp, producerId, isTransactional, control } = record
  // A marker's key and value are the format's.
  const content = control === null ? [record.key, record.value, ...record.headers] : []
  const fingerprint = [
    record.leaderEpoch,
    producerId,
    record.producerEpoch,
    control === null ? record.sequence : -1,
    isTransactional,
    control,
    timestamp,
    ...content,
  ].join('|')
  return { fingerprint, timestamp, producerId, isTransactional, control }
}

export function foundRecord(
  record: LogRecord,
  batch: Batch,
  control: 'commit' | 'abort' | null,
): LedgerRecord {
  const { leaderEpoch, producerId, producerEpoch, isTransactional } = batch
  return {
    ...ledgerRecord({
      key: record.key?.toString('latin1') ?? null,
      value: record.value?.toString('latin1') ?? null,
      headers: record.headers.map(({ key, value }) => `${key}=${value?.toString('latin1')}`),
      timestamp: record.timestamp,
      leaderEpoch,
      producerId,
      producerEpoch,
      sequence: record.sequence,
      isTransactional,
      control,
    }),
    offset: record.offset,
  }
}

function highest(acknowledgements: readonly Acknowledgement[], at: number): Offset {
  let offset = 0
  for (const acknowledgement of acknowledgements) {
    if (acknowledgement.at <= at) offset = Math.max(offset, acknowledgement.endOffset)
  }
  return offset
}

/** A transaction that has its marker. */
export interface EndedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
  readonly lastOffset: Offset
  /** Just after the marker. */
  readonly lastStableOffset: Offset
  readonly isAborted: boolean
}

/** The transactions that ended within these records, in order of their markers. */
export function endedTransactions(records: readonly LedgerRecord[]): readonly EndedTransaction[] {
  const open = new Map<number, Offset>()
  const ended: EndedTransaction[] = []
  for (const { offset, producerId, isTransactional, control } of records) {
    if (!isTransactional) continue
    if (control === null) {
      if (!open.has(producerId)) open.set(producerId, offset)
      continue
    }
    const firstOffset = open.get(producerId)
    open.delete(producerId)
    if (firstOffset === undefined) continue
    const lastStableOffset = Math.min(offset + 1, ...open.values())
    const isAborted = control === 'abort'
    ended.push({ producerId, firstOffset, lastOffset: offset, lastStableOffset, isAborted })
  }
  return ended
}

/** The first offset of the oldest transaction without a marker; null when there is none. */
export function firstUndecided(records: readonly LedgerRecord[]): Offset | null {
  const open = new Map<number, Offset>()
  for (const { offset, producerId, isTransactional, control } of records) {
    if (!isTransactional) continue
    if (control !== null) open.delete(producerId)
    else if (!open.has(producerId)) open.set(producerId, offset)
  }
  return open.size === 0 ? null : Math.min(...open.values())
}
