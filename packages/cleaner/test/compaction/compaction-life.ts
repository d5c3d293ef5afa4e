import { type Log, LogDirectory, type LogOptions, verifyLog } from '@varve/log'
import {
  crashVariants,
  describeVariant,
  ManualClock,
  type Random,
  SimulatedFileSystem,
} from '@varve/log/testing'
import {
  endTransactionMarkerBatch,
  RecordBatch,
  RecordBatchBuilder,
  type RecordInput,
} from '@varve/record'
import { inlineExecutor } from '../../src/compaction/inline-executor.ts'
import { compactLog, planLogCompaction } from '../../src/compaction/log-compaction.ts'
import { type CleaningPolicy, resolveCleaningPolicy } from '../../src/policy/cleaning-policy.ts'
import { expiresAtHeader } from '../../src/policy/record-expiry.ts'
import { deleteByPlan, planLogRetention } from '../../src/retention/log-retention.ts'
import {
  type CleanState,
  CompactionLedger,
  isOver,
  type Left,
  problemsOf,
  readLeft,
} from './compaction-ledger.ts'

interface LifeProducer {
  readonly producerId: number
  epoch: number
  sequence: number
  /** Offsets of its open transaction; null when none is open. */
  open: number[] | null
  /** Its newest batch, and where it went. */
  last: { readonly batch: Buffer; readonly baseOffset: number } | null
}

interface SomeRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  /** By its own header; -1 never. */
  readonly expiresAtMs: number
}

const path = '/data'

function openAt(
  fs: SimulatedFileSystem,
  clock: ManualClock,
  log: LogOptions,
): Promise<LogDirectory> {
  return LogDirectory.open(path, { fs, clock, log, random: () => 0.5 })
}

export interface LifeCounts {
  compactions: number
  crashes: number
  duplicates: number
  /** Newest records of a key that went because their time was over. */
  expired: number
  /** Times that retention deleted segments. */
  retained: number
}

/**
 * One log that is appended to, compacted and crashed at random on a simulated file system, and what
 * must be true of it after every step.
 */
export class CompactionLife {
  readonly counts: LifeCounts = {
    ...{ compactions: 0, crashes: 0, duplicates: 0, expired: 0, retained: 0 },
  }
  readonly #random: Random
  readonly #clock = new ManualClock()
  readonly #ledger = new CompactionLedger()
  readonly #producers: LifeProducer[]
  readonly #options: LogOptions
  readonly #policy: ReturnType<typeof resolveCleaningPolicy>
  readonly #keys: number
  #fs = new SimulatedFileSystem()
  #directory: LogDirectory | null = null
  #cleanedOffset = 0

  constructor(random: Random) {
    this.#random = random
    this.#keys = random.pick([3, 20, 200])
    this.#producers = [1, 2, 3].map((producerId) => ({
      producerId,
      epoch: 0,
      sequence: 0,
      open: null,
      last: null,
    }))
    this.#options = {
      segmentBytes: random.pick([700, 1500, 5000]),
      indexIntervalBytes: random.pick([0, 100, 4096]),
      segmentIndexBytes: random.pick([240, 1 << 20]),
      acks: 'written',
      fileDeleteDelayMs: 1,
    }
    const isDeleted = random.bool(0.4)
    const policy: CleaningPolicy = {
      cleanupPolicy: isDeleted ? ['compact', 'delete'] : ['compact'],
      retentionMs: isDeleted ? random.pick([100, 400, 2000]) : -1,
      recordTtlMs: random.pick([-1, -1, 50, 300, 1000]),
      deleteRetentionMs: random.pick([0, 50, 2000]),
      minCompactionLagMs: random.pick([0, 0, 40]),
      minCleanableDirtyRatio: 0,
    }
    this.#policy = resolveCleaningPolicy(policy)
  }

  async live(steps: number, crashesPerCompaction: number): Promise<void> {
    await this.#open()
    for (let step = 0; step < steps; step++) {
      await this.#step()
      if (!this.#random.bool(0.15)) continue
      await this.#compactAndCrash(crashesPerCompaction)
    }
    await this.#endTransactions()
    await this.#log.roll()
    await this.#compactAndCrash(crashesPerCompaction)
    await this.#directory?.close()
  }

  get #log(): Log {
    const log = this.#directory?.logs.get('t-0')
    if (log === undefined) throw new Error('the log is not open')
    return log
  }

  async #open(): Promise<void> {
    const directory = await openAt(this.#fs, this.#clock, this.#options)
    this.#directory = directory
    if (!directory.logs.has('t-0')) await directory.createLog('t', 0)
  }

  async #step(): Promise<void> {
    const random = this.#random
    this.#clock.advance(random.int(30))
    const kind = random.int(10)
    if (kind < 4) await this.#appendPlain()
    else if (kind < 9) await this.#appendOf(random.pick(this.#producers))
    else await this.#log.roll()
  }

  #someRecords(): SomeRecord[] {
    const random = this.#random
    return Array.from({ length: random.between(1, 5) }, () => ({
      key: random.bool(0.03) ? null : `k${random.int(this.#keys)}`,
      value: random.bool(0.25) ? null : `v${random.next()}`.repeat(random.between(1, 5)),
      timestamp: this.#clock.now() - random.int(20),
      expiresAtMs: random.bool(0.1) ? this.#clock.now() + random.int(500) : -1,
    }))
  }

  async #appendPlain(): Promise<void> {
    const records = this.#someRecords()
    const compressionType = this.#random.pick(['none', 'gzip', 'lz4', 'zstd'] as const)
    const { baseOffset } = await this.#log.append(records.map(inputOf), { compressionType })
    this.#note(records, baseOffset, -1, true)
  }

  #note(
    records: readonly SomeRecord[],
    baseOffset: number,
    producerId: number,
    isDecided: boolean,
  ): number[] {
    return records.map((record, index) => {
      const offset = baseOffset + index
      this.#ledger.append({ ...record, offset, producerId }, isDecided)
      return offset
    })
  }

  async #appendOf(producer: LifeProducer): Promise<void> {
    const random = this.#random
    if (producer.open !== null && random.bool(0.4)) {
      await this.#end(producer, random.bool() ? 'commit' : 'abort')
      return
    }
    if (producer.open === null && random.bool(0.1)) {
      producer.epoch += 1
      producer.sequence = 0
    }
    const isTransactional = producer.open !== null || random.bool(0.6)
    const records = this.#someRecords()
    const builder = new RecordBatchBuilder({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      baseSequence: producer.sequence,
      isTransactional,
      compressionType: random.pick(['none', 'snappy']),
    })
    for (const record of records) builder.append(inputOf(record))
    const batch = builder.build()
    const copy = Buffer.from(batch.bytes)
    const { baseOffset } = await this.#log.appendBatch(batch)
    producer.sequence += records.length
    producer.last = { batch: copy, baseOffset }
    const offsets = this.#note(records, baseOffset, producer.producerId, !isTransactional)
    if (isTransactional) producer.open = [...(producer.open ?? []), ...offsets]
  }

  async #end(producer: LifeProducer, type: 'commit' | 'abort'): Promise<void> {
    const marker = endTransactionMarkerBatch({
      type,
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      coordinatorEpoch: 0,
      timestamp: this.#clock.now(),
    })
    await this.#log.appendBatch(marker, { origin: 'coordinator' })
    this.#ledger.decide(producer.open ?? [], type === 'commit')
    producer.open = null
  }

  async #endTransactions(): Promise<void> {
    for (const producer of this.#producers) {
      if (producer.open !== null) await this.#end(producer, 'commit')
    }
  }

  async #compactAndCrash(crashes: number): Promise<void> {
    const fs = this.#fs
    await this.#log.flush()
    const from = fs.operations
    const before = this.#cleanedOffset
    await this.#compact()
    const to = fs.operations
    await this.#check(this.#log, fs, 'after compaction', this.#cleanedOffset)
    for (let crash = 0; crash < crashes && to > from; crash++) {
      await this.#crash(this.#random.between(from, to), before)
    }
    if (this.#random.bool(0.3)) await this.#restart()
  }

  async #compact(): Promise<void> {
    this.counts.compactions += 1
    await this.#compactAt(this.#directory, this.#log, this.#fs, (offset) => {
      this.#cleanedOffset = offset
    })
  }

  async #compactAt(
    directory: LogDirectory | null,
    log: Log,
    fs: SimulatedFileSystem,
    saved: (offset: number) => void,
  ): Promise<void> {
    const plan = planLogCompaction(log, fs, {
      policy: this.#policy,
      nowMs: this.#clock.now(),
      cleanedOffset: directory?.cleanerCheckpoint.readOne('t-0') ?? null,
    })
    await compactLog(log, plan, this.#policy, {
      fs,
      clock: this.#clock,
      executor: inlineExecutor(fs, this.#clock),
      // From two keys on.
      resources: {
        mapBytes: this.#random.pick([60, 400, 1 << 20]),
        ioBytesPerSecond: 0,
        restMs: 0,
      },
      signal: null,
      progress: () => undefined,
      saveCleanedOffset: async (offset) => {
        saved(offset)
        await directory?.cleanerCheckpoint.writeOne('t-0', offset)
      },
    })
    await this.#retain(log, fs)
    await log.flush()
  }

  async #retain(log: Log, fs: SimulatedFileSystem): Promise<void> {
    if (!this.#policy.cleanupPolicy.includes('delete')) return
    const nowMs = this.#clock.now()
    const plan = planLogRetention(log, fs, { policy: this.#policy, nowMs, holds: [] })
    if (plan.deletions.length > 0) this.counts.retained += 1
    await deleteByPlan(log, plan)
  }

  /**
   * Closes the log and opens it again, at times after a kill; the newest batches are known still.
   */
  async #restart(): Promise<void> {
    if (this.#random.bool()) {
      await this.#directory?.close()
      this.#fs = this.#fs.fork()
    } else {
      const killed = this.#fs.fork()
      await this.#directory?.close()
      this.#fs = killed
    }
    await this.#open()
    for (const { last } of this.#producers) {
      // Of one that retention has taken, nothing need be known.
      if (last === null || last.baseOffset < this.#log.logStartOffset) continue
      const again = new RecordBatch(Buffer.from(last.batch))
      const end = this.#log.logEndOffset
      const { baseOffset } = await this.#log.appendBatch(again)
      if (baseOffset !== last.baseOffset || this.#log.logEndOffset !== end) {
        throw new Error(`a batch of ${last.baseOffset} sent again was appended at ${baseOffset}`)
      }
      this.counts.duplicates += 1
    }
  }

  /** What is on the disk when the power is cut, or the process killed, after so many operations. */
  async #crash(operations: number, cleanedBefore: number): Promise<void> {
    const random = this.#random
    const variant = random.pick(crashVariants(random, 4))
    const isKill = random.bool(0.2)
    const fs = isKill ? this.#fs.killState(operations) : this.#fs.crashState(operations, variant)
    const where = `after ${isKill ? 'a kill' : describeVariant(variant)} at ${operations}`
    const directory = await openAt(fs, this.#clock, this.#options)
    try {
      const log = directory.logs.get('t-0')
      if (log === undefined) {
        throw new Error(`${where}: ${directory.failures.get('t-0')?.stack}`)
      }
      this.counts.crashes += 1
      if (log.recoveryReport.cut !== null) throw new Error(`${where}: the log was cut`)
      await this.#check(log, fs, where, cleanedBefore)
      const kept = new Map(this.#ledger.cleanedAtMs)
      let cleaned = cleanedBefore
      await this.#compactAt(directory, log, fs, (offset) => {
        cleaned = offset
      })
      await this.#check(log, fs, `${where}, compacted again`, cleaned)
      this.#ledger.cleanedAtMs.clear()
      for (const [offset, ms] of kept) this.#ledger.cleanedAtMs.set(offset, ms)
    } finally {
      await directory.close()
    }
  }

  async #check(
    log: Log,
    fs: SimulatedFileSystem,
    where: string,
    cleanedOffset: number,
  ): Promise<void> {
    const left = await readLeft(log)
    const { deleteRetentionMs, recordTtlMs, retentionMs, cleanupPolicy } = this.#policy
    const clean = {
      ...{ cleanedOffset, nowMs: this.#clock.now(), deleteRetentionMs, recordTtlMs },
      retentionMs: cleanupPolicy.includes('delete') ? retentionMs : null,
    }
    this.counts.expired += expiredIn(this.#ledger, left, log, clean)
    const problems = [...problemsOf(this.#ledger, left, log, clean)]
    for await (const finding of verifyLog(log.directory, { fs, clock: this.#clock, settleMs: 0 })) {
      if (finding.severity === 'error') problems.push(JSON.stringify(finding))
    }
    if (problems.length > 0) throw new Error(`${where}: ${problems.slice(0, 5).join('; ')}`)
  }
}

function inputOf({ key, value, timestamp, expiresAtMs }: SomeRecord): RecordInput {
  const headers =
    expiresAtMs < 0 ? [] : [{ key: expiresAtHeader, value: Buffer.from(String(expiresAtMs)) }]
  return { key, value, timestamp, headers }
}

/** Newest records of their keys that are not there any more, because their time was over. */
function expiredIn(
  ledger: CompactionLedger,
  left: Left,
  { logStartOffset }: Log,
  clean: CleanState,
): number {
  const there = new Set(left.records.map(({ offset }) => offset))
  return [...ledger.latest(logStartOffset, clean.cleanedOffset).values()].filter(
    (record) => !there.has(record.offset) && record.value !== null && isOver(record, clean),
  ).length
}
