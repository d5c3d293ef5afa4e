import { type Log, LogDirectory, type LogOptions, verifyLog } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { endTransactionMarkerBatch, RecordBatchBuilder, type RecordInput } from '@varve/record'
import type { CompactionProgress } from '../../src/compaction/compaction-task.ts'
import { inlineExecutor } from '../../src/compaction/inline-executor.ts'
import {
  type CompactionOutcome,
  compactLog,
  planLogCompaction,
} from '../../src/compaction/log-compaction.ts'
import { type CleaningPolicy, resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'

/** A log `t-0` on a simulated file system, with a clock that stands still. */
export interface TestLog {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock
  readonly directory: LogDirectory
  readonly log: Log
}

export async function makeLog(
  options: LogOptions = {},
  fs: SimulatedFileSystem = new SimulatedFileSystem(),
): Promise<TestLog> {
  const clock = new ManualClock()
  const directory = await LogDirectory.open('/data', { fs, clock, log: options, random: () => 0 })
  const log = directory.logs.get('t-0') ?? (await directory.createLog('t', 0))
  return { fs, clock, directory, log }
}

/** Appends `[key, value]` pairs, a batch each, at the clock's time. */
export async function appendPairs(
  { log, clock }: TestLog,
  ...pairs: ReadonlyArray<readonly [string | null, string | null]>
): Promise<void> {
  for (const [key, value] of pairs) await log.append({ key, value, timestamp: clock.now() })
}

export interface CompactSettings extends CleaningPolicy {
  readonly mapBytes?: number
  readonly isDryRun?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CompactionProgress) => void
}

/** Seals what there is, and compacts it from where it was compacted last. */
export async function compactAll(
  { fs, clock, directory, log }: TestLog,
  settings: CompactSettings = {},
): Promise<CompactionOutcome> {
  const { mapBytes = 1 << 20, isDryRun = false, signal = null, onProgress, ...policy } = settings
  const resolved = resolveCleaningPolicy({ cleanupPolicy: ['compact'], ...policy })
  await log.roll()
  const cleanedOffset = directory.cleanerCheckpoint.readOne('t-0')
  const plan = planLogCompaction(log, fs, { policy: resolved, nowMs: clock.now(), cleanedOffset })
  const context = {
    fs,
    clock,
    executor: inlineExecutor(fs, clock),
    resources: { mapBytes, ioBytesPerSecond: 0, restMs: 0 },
    signal,
    progress: (progress: CompactionProgress) => onProgress?.(progress),
    saveCleanedOffset: (offset: number) => directory.cleanerCheckpoint.writeOne('t-0', offset),
  }
  return compactLog(log, plan, resolved, context, isDryRun)
}

/**
 * `offset key=value` of every record, and `offset commit|abort` or `offset empty` of what has none.
 */
export async function contentOf({ log }: TestLog): Promise<string[]> {
  const lines: string[] = []
  for await (const batch of log.reader({ from: log.logStartOffset })) {
    const records = [...batch.records()]
    if (records.length === 0) lines.push(`${batch.lastOffset} empty`)
    for (const { offset, key, value } of records) {
      const text = batch.isControl ? (key?.[3] === 1 ? 'commit' : 'abort') : `${key}=${value}`
      lines.push(`${offset} ${text}`)
    }
  }
  return lines
}

/** A producer with numbered batches and transactions. */
export class NumberedProducer {
  readonly #test: TestLog
  readonly #producerId: number
  #sequence = 0

  constructor(test: TestLog, producerId: number) {
    this.#test = test
    this.#producerId = producerId
  }

  async append(isTransactional: boolean, ...records: readonly RecordInput[]): Promise<number> {
    const builder = new RecordBatchBuilder({
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: this.#sequence,
      isTransactional,
      defaultTimestamp: this.#test.clock.now(),
    })
    for (const record of records) builder.append(record)
    this.#sequence += records.length
    const { baseOffset } = await this.#test.log.appendBatch(builder.build())
    return baseOffset
  }

  async end(type: 'commit' | 'abort'): Promise<void> {
    const marker = endTransactionMarkerBatch({
      type,
      producerId: this.#producerId,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestamp: this.#test.clock.now(),
    })
    await this.#test.log.appendBatch(marker, { origin: 'coordinator' })
  }
}

/** What is wrong with the log; nothing, mostly. */
export async function findingsOf({ log, fs, clock }: TestLog): Promise<string[]> {
  const found: string[] = []
  for await (const { severity, message } of verifyLog(log.directory, { fs, clock })) {
    if (severity !== 'note') found.push(message)
  }
  return found
}
