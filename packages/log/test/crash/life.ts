import {
  type CompressionType,
  endTransactionMarkerBatch,
  type Offset,
  RecordBatch,
  RecordBatchBuilder,
  type RecordInput,
  type Timestamp,
} from '@varve/record'
import type { AppendResult } from '../../src/append/append-result.ts'
import type { Acks, LogOptions } from '../../src/base/log-options.ts'
import type { Log } from '../../src/log.ts'
import { LogDirectory, type LogDirectoryOptions } from '../../src/log-directory.ts'
import type { FileSystem } from '../../src/storage/file-system.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Random } from '../../src/testing/random.ts'
import { type CompactionChoice, prepareCompaction } from './compact.ts'
import { type DirectoryLedger, type LedgerRecord, type LogLedger, ledgerRecord } from './ledger.ts'

export interface LifeOptions {
  readonly fs: FileSystem
  /** How many operations the file system has done: the time of the ledger. */
  readonly operations: () => number
  readonly ledger: DirectoryLedger
  /** @defaultValue '/data' */
  readonly path?: string
  readonly log?: LogOptions
  readonly clock?: ManualClock
  readonly openFilesMax?: number
}

export interface AppendChoice {
  readonly acks?: Acks
  readonly compressionType?: CompressionType
  /** Of each value, about; default 40. */
  readonly valueBytes?: number
  /** Among how many keys the records are spread; default 7. */
  readonly keys?: number
}

export interface ProducerChoice extends AppendChoice {
  readonly producerId: number
  readonly producerEpoch?: number
  readonly isTransactional?: boolean
}

interface SentBatch {
  readonly bytes: Buffer
  readonly baseOffset: Offset
  readonly count: number
}

const firstTimestamp: Timestamp = Date.UTC(2026, 0, 1)
const words = 'silt sand clay spring melt summer algae autumn storm winter ice layer'.split(' ')

/**
 * A process that works on a data directory, and enters all that it asks and is told in a ledger.
 * Records are made up from their offsets, so that no two are alike.
 */
export class Life {
  readonly ledger: DirectoryLedger
  readonly clock: ManualClock
  readonly path: string
  #fs: FileSystem
  readonly #operations: () => number
  readonly #options: LifeOptions
  #leaderEpoch = 0
  #directory: LogDirectory | null = null
  readonly #pending: Promise<void>[] = []
  #topics = 0
  /** By log, producer and epoch: the next sequence number, and the batch sent last. */
  readonly #sequences = new Map<string, number>()
  readonly #sent = new Map<string, SentBatch>()

  constructor(options: LifeOptions) {
    this.#options = options
    this.#fs = options.fs
    this.ledger = options.ledger
    this.clock = options.clock ?? new ManualClock()
    this.path = options.path ?? '/data'
    this.#operations = options.operations
  }

  get fs(): FileSystem {
    return this.#fs
  }

  get directory(): LogDirectory {
    if (this.#directory === null) throw new Error('the directory is not open')
    return this.#directory
  }

  get isOpen(): boolean {
    return this.#directory !== null
  }

  log(name: string): Log {
    const log = this.directory.logs.get(name)
    if (log !== undefined) return log
    throw this.directory.failures.get(name) ?? new Error(`log ${name} is not open`)
  }

  /** `leaderEpoch`: of this and later openings. */
  async open(
    more: Omit<LogDirectoryOptions, 'log'> & { leaderEpoch?: number } = {},
  ): Promise<void> {
    const random = new Random(7)
    const { leaderEpoch = this.#leaderEpoch, ...rest } = more
    this.#leaderEpoch = leaderEpoch
    this.#directory = await LogDirectory.open(this.path, {
      fs: this.fs,
      clock: this.clock,
      random: () => random.fraction(),
      openFilesMax: this.#options.openFilesMax ?? 64,
      ...rest,
      log: { ...this.#options.log, leaderEpoch },
    })
  }

  async close(): Promise<void> {
    const { directory } = this
    const ends = [...directory.logs.keys()].map((name) => {
      const ledger = this.ledger.log(name)
      return { ledger, endOffset: ledger.endOffset }
    })
    this.#directory = null
    await directory.close()
    for (const { ledger, endOffset } of ends) this.#acknowledge(ledger, 'flushed', endOffset)
  }

  /** The process is killed; its successor finds `fs`, and has the same clients. */
  killed(fs: FileSystem): void {
    this.#directory = null
    this.#fs = fs
  }

  async create(topic: string, partition = 0): Promise<void> {
    const { span } = this.ledger.make(`${topic}-${partition}`, this.#operations())
    this.#topics += 1
    const topicId = Buffer.alloc(16, this.#topics).toString('base64url')
    await this.directory.createLog(topic, partition, { topicId })
    span.end = this.#operations()
  }

  async deleteLog(topic: string, partition = 0): Promise<void> {
    const span = this.ledger.log(`${topic}-${partition}`).startDeleting(this.#operations())
    await this.directory.deleteLog(topic, partition)
    span.end = this.#operations()
  }

  /** Appends records in one call; {@link settle} waits for it. */
  append(name: string, count: number, choice: AppendChoice = {}): void {
    const ledger = this.ledger.log(name)
    const { acks = 'flushed', compressionType = 'none' } = choice
    const records = this.#records(name, ledger.endOffset, count, choice)
    const log = this.log(name)
    const noted = records.map((record) => this.#noted(record, {}))
    this.#follow(ledger, acks, noted, () => log.append(records, { acks, compressionType }))
  }

  /** Appends a batch of a producer that numbers its batches. */
  appendBatch(name: string, count: number, choice: ProducerChoice): void {
    const ledger = this.ledger.log(name)
    const { acks = 'flushed', compressionType = 'none', producerId } = choice
    const { producerEpoch = 0, isTransactional = false } = choice
    const key = `${name}/${producerId}/${producerEpoch}`
    const baseSequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, baseSequence + count)
    const producer = { producerId, producerEpoch, isTransactional }
    const builder = new RecordBatchBuilder({ ...producer, baseSequence, compressionType })
    const records = this.#records(name, ledger.endOffset, count, choice)
    for (const record of records) builder.append(record)
    const batch = builder.build()
    const bytes = Buffer.from(batch.bytes)
    this.#sent.set(key, { bytes, baseOffset: ledger.endOffset, count })
    const noted = records.map((record, index) =>
      this.#noted(record, { ...producer, sequence: baseSequence + index }),
    )
    const log = this.log(name)
    this.#follow(ledger, acks, noted, () => log.appendBatch(batch, { acks }))
  }

  /** Sends a producer's newest batch once more: the log must know it. */
  resend(name: string, producerId: number, acks: Acks = 'flushed', producerEpoch = 0): void {
    const sent = this.#sent.get(`${name}/${producerId}/${producerEpoch}`)
    if (sent === undefined) throw new Error(`producer ${producerId} has sent nothing`)
    const ledger = this.ledger.log(name)
    const { bytes, baseOffset, count } = sent
    const result = this.log(name).appendBatch(new RecordBatch(Buffer.from(bytes)), { acks })
    this.#pend(this.#acknowledged(ledger, acks, { baseOffset, count, isDuplicate: true }, result))
  }

  /** Ends a producer's transaction. */
  endTransaction(
    name: string,
    type: 'commit' | 'abort',
    producerId: number,
    choice: { readonly producerEpoch?: number; readonly acks?: Acks } = {},
  ): void {
    const ledger = this.ledger.log(name)
    const { producerEpoch = 0, acks = 'flushed' } = choice
    const timestamp = timestampAt(ledger.endOffset)
    const producer = { producerId, producerEpoch }
    const batch = endTransactionMarkerBatch({ type, ...producer, coordinatorEpoch: 1, timestamp })
    const noted = this.#noted({ timestamp }, { ...producer, isTransactional: true, control: type })
    const log = this.log(name)
    this.#follow(ledger, acks, [noted], () =>
      log.appendBatch(batch, { acks, origin: 'coordinator' }),
    )
  }

  async flush(name: string): Promise<void> {
    const ledger = this.ledger.log(name)
    const { endOffset } = ledger
    await this.log(name).flush()
    this.#acknowledge(ledger, 'flushed', endOffset)
  }

  async roll(name: string): Promise<void> {
    await this.log(name).roll()
  }

  async deleteBefore(name: string, offset: Offset): Promise<void> {
    const ledger = this.ledger.log(name)
    const span = ledger.startDeletingBefore(offset, this.#operations())
    await this.log(name).deleteSegmentsBefore(offset)
    span.end = this.#operations()
    this.#acknowledge(ledger, 'flushed', offset)
  }

  async compact(name: string, choice: CompactionChoice): Promise<void> {
    const ledger = this.ledger.log(name)
    const log = this.log(name)
    const options = this.#options.log ?? {}
    const made = await prepareCompaction(log, this.fs, options, ledger.records, choice)
    const span = ledger.startReplacing(made.removed, this.#operations())
    await log.replaceSegments(made.cleaned, made.replaced)
    span.end = this.#operations()
  }

  /** Waits for every append so far; rejects when one failed. */
  async settle(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0))
  }

  /** Waits for every append so far; the reasons of those that were rejected. */
  async failures(): Promise<readonly unknown[]> {
    const results = await Promise.allSettled(this.#pending.splice(0))
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  }

  #pend(appended: Promise<void>): void {
    // Whoever settles later learns of a failure; until then it is no unhandled one.
    appended.catch(() => undefined)
    this.#pending.push(appended)
  }

  #follow(
    ledger: LogLedger,
    acks: Acks,
    noted: readonly Omit<LedgerRecord, 'offset'>[],
    append: () => Promise<AppendResult>,
  ): void {
    const baseOffset = ledger.endOffset
    ledger.submit(noted)
    const expected = { baseOffset, count: noted.length, isDuplicate: false }
    this.#pend(this.#acknowledged(ledger, acks, expected, append()))
  }

  async #acknowledged(
    ledger: LogLedger,
    acks: Acks,
    expected: {
      readonly baseOffset: Offset
      readonly count: number
      readonly isDuplicate: boolean
    },
    appended: Promise<AppendResult>,
  ): Promise<void> {
    const result = await appended
    if (acks === 'none') return
    const { baseOffset, count, isDuplicate } = expected
    const lastOffset = baseOffset + count - 1
    const isRight =
      result.baseOffset === baseOffset &&
      result.lastOffset === lastOffset &&
      result.isDuplicate === isDuplicate
    if (!isRight) {
      const wanted = { baseOffset, lastOffset, isDuplicate }
      throw new Error(`acknowledged as ${JSON.stringify(result)}, not ${JSON.stringify(wanted)}`)
    }
    this.#acknowledge(ledger, acks, lastOffset + 1)
  }

  #acknowledge(ledger: LogLedger, level: 'written' | 'flushed', endOffset: Offset): void {
    ledger.acknowledge(level, endOffset, this.#operations())
  }

  #records(name: string, from: Offset, count: number, choice: AppendChoice): RecordInput[] {
    const { valueBytes = 40, keys = 7 } = choice
    return Array.from({ length: count }, (_, index) => {
      const offset = from + index
      return {
        key: offset % 11 === 10 ? null : `key-${offset % keys}`,
        value: offset % 13 === 12 ? null : valueAt(name, offset, valueBytes),
        headers: offset % 5 === 4 ? [{ key: 'h', value: `${offset}` }] : [],
        timestamp: timestampAt(offset),
      }
    })
  }

  #noted(
    record: RecordInput,
    producer: {
      readonly producerId?: number
      readonly producerEpoch?: number
      readonly sequence?: number
      readonly isTransactional?: boolean
      readonly control?: 'commit' | 'abort'
    },
  ): Omit<LedgerRecord, 'offset'> {
    return ledgerRecord({
      key: record.key === undefined || record.key === null ? null : String(record.key),
      value: record.value === undefined || record.value === null ? null : String(record.value),
      headers: (record.headers ?? []).map(({ key, value }) => `${key}=${value}`),
      timestamp: record.timestamp ?? -1,
      leaderEpoch: this.#leaderEpoch,
      producerId: producer.producerId ?? -1,
      producerEpoch: producer.producerEpoch ?? -1,
      sequence: producer.sequence ?? -1,
      isTransactional: producer.isTransactional ?? false,
      control: producer.control ?? null,
    })
  }
}

/** Ten milliseconds apart; now and then one is late. */
function timestampAt(offset: Offset): Timestamp {
  const lateMs = offset % 9 === 8 ? 35 : 0
  return firstTimestamp + offset * 10 - lateMs
}

function valueAt(name: string, offset: Offset, sizeBytes: number): string {
  let value = `${name}@${offset}`
  for (let word = offset; value.length < sizeBytes; word += 5) {
    value += ` ${words[word % words.length]}`
  }
  return value
}
