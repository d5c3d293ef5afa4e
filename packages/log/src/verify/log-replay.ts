import { type Batch, type Offset, VarveError } from '@varve/record'
import { type EpochEntry, hasOwnEpoch, LeaderEpochCache } from '../format/leader-epoch-cache.ts'
import type { ProducerStateInfo } from '../format/producer-entry.ts'
import { decodeProducerSnapshot } from '../format/producer-snapshot.ts'
import { snapshotBytesMax, snapshotOffsets } from '../producers/producer-loading.ts'
import { type CompletedTransaction, ProducerStateManager } from '../producers/producer-state.ts'
import { leaderEpochCheckpointFileName, producerSnapshotFileName } from '../storage/file-names.ts'
import { type FileSystem, readFileStart } from '../storage/file-system.ts'
import { type Finding, finding, reasonOf, type Severity } from './finding.ts'
import type { LogFacts } from './log-facts.ts'

/** A leader-epoch checkpoint has some twenty bytes an epoch. */
const epochsBytesMax = 16 * 2 ** 20

export interface LogReplayOptions {
  readonly fs: FileSystem
  readonly facts: LogFacts
  /**
   * How bad it is when a file that is derived from the log up to an offset is wrong; null: not at
   * all.
   */
  readonly severityAt: (offset: Offset) => Severity | null
  readonly report: (found: Finding) => void
}

/**
 * What the batches of a log, one after the other, say about producers and leader epochs, compared
 * with the files that say it too: the producer snapshots as their offsets are passed, and the
 * leader-epoch checkpoint.
 *
 * A replay is *exact* while it has seen everything: from the log's beginning, or from a snapshot,
 * without a gap, without damage, and without a batch that compaction has changed. Only then can
 * snapshots and transaction indexes be compared with it.
 */
export class LogReplay {
  readonly #options: LogReplayOptions
  readonly #producers: ProducerStateManager = new ProducerStateManager()
  readonly #epochs: readonly EpochEntry[]
  #epoch = 0
  /** Whether batches without an epoch were seen, of the formats before there were any. */
  #hasOldFormats = false
  #hasDroppedEpochs = false
  /** Told at the end, unless a changed header turns out to be the reason. */
  #epochFault: Finding | null = null
  /** Offsets of the snapshots that have not been reached yet, descending. */
  readonly #snapshots: Offset[]
  #isExact: boolean
  #nextOffset: Offset
  /** Producers of which data was read that has no marker yet. */
  readonly #undecided = new Set<number>()

  constructor(options: LogReplayOptions) {
    this.#options = options
    const { fs, facts } = options
    this.#epochs = this.#readEpochs()
    this.#snapshots = snapshotOffsets({ fs, directory: facts.directory }).toReversed()
    this.#nextOffset = facts.segments[0]?.baseOffset ?? 0
    this.#isExact = this.#nextOffset === 0 || this.#loadFirstSnapshot()
  }

  get isExact(): boolean {
    return this.#isExact
  }

  /** Where the first leader epoch starts that the checkpoint has; null when it has none. */
  get firstEpochStart(): Offset | null {
    return this.#epochs[0]?.startOffset ?? null
  }

  /** Whether batches with epochs come before the first one of the checkpoint. */
  get hasDroppedEpochs(): boolean {
    return this.#hasDroppedEpochs
  }

  /**
   * The epoch that a batch must have had, when it has one of which the checkpoint knows nothing: an
   * epoch is written there, durably, before its first batch. Null for a batch that may be right.
   */
  lostEpochOf(batch: Batch): number | null {
    if (!hasOwnEpoch(batch) || this.#epochs.length === 0 || this.#epochFault !== null) return null
    return this.lostEpoch(batch.leaderEpoch, batch.baseOffset)
  }

  /** The same for a header. */
  lostEpoch(leaderEpoch: number, baseOffset: Offset): number | null {
    // Only Varve's checkpoint is known to be so complete.
    if (!this.#options.facts.isOurs || leaderEpoch === -1) return null
    if (this.#epochs.some(({ epoch }) => epoch === leaderEpoch)) return null
    return this.#epochs.findLast(({ startOffset }) => startOffset <= baseOffset)?.epoch ?? null
  }

  /** Something was not seen, or seen wrongly. */
  spoil(): void {
    this.#isExact = false
  }

  /**
   * Takes in the next batch; returns the transaction that it completes, or null. `isSeen`: data of
   * it was read. Else only a snapshot tells of it, and compaction may have taken all of it but the
   * marker, and what the transaction index said of it.
   */
  add(batch: Batch): (CompletedTransaction & { readonly isSeen: boolean }) | null {
    if (batch.isTransactional && !batch.isControl) this.#undecided.add(batch.producerId)
    const completed = this.#update(batch)
    if (completed === null) return null
    return { ...completed, isSeen: this.#undecided.delete(completed.producerId) }
  }

  #update(batch: Batch): CompletedTransaction | null {
    if (batch.magic === 2 && batch.baseOffset !== this.#nextOffset) this.#isExact = false
    this.#nextOffset = batch.nextOffset
    this.#checkEpoch(batch)
    if (batch.magic !== 2) return null
    this.#passSnapshots(batch.baseOffset)
    // Without the records that are gone its timestamp may be another.
    if (batch.count !== batch.lastOffset - batch.baseOffset + 1) this.#isExact = false
    try {
      return this.#producers.update(batch)
    } catch (error) {
      // A marker that cannot be read; its record is checked elsewhere.
      if (!(error instanceof VarveError)) throw error
      this.#isExact = false
      return null
    }
  }

  /** The log ends here: compares what is left. */
  finish(logEndOffset: Offset): void {
    if (logEndOffset !== this.#nextOffset) this.#isExact = false
    this.#passSnapshots(logEndOffset)
    if (this.#epochFault !== null) this.#options.report(this.#epochFault)
    for (const offset of this.#snapshots.reverse()) {
      const message = `the log ends at offset ${logEndOffset}, before what the snapshot covers`
      this.#reportSnapshot('producer-snapshot-mismatch', offset, message)
    }
    const beyond = this.#epochs.find(({ startOffset }) => startOffset > logEndOffset)
    if (beyond === undefined || this.#epochFault !== null) return
    const message = `epoch ${beyond.epoch} begins at offset ${beyond.startOffset}, beyond the end`
    this.#options.report(this.#epochFinding('leader-epochs-mismatch', message, beyond.startOffset))
  }

  /** Batches of epochs that the checkpoint does not know are right, so it is not. */
  blameEpochs(batches: readonly { readonly firstOffset: Offset; readonly reason: string }[]): void {
    const [first] = batches
    if (first === undefined || this.#epochFault !== null) return
    const { firstOffset, reason } = first
    const message = `the batch at offset ${firstOffset} is right, but ${reason}`
    this.#epochFault = this.#epochFinding('leader-epochs-mismatch', message, firstOffset)
  }

  /** The header of a batch was changed: its epoch proves nothing. */
  excuseEpoch(batch: { readonly firstOffset: Offset; readonly lastOffset: Offset | null }): void {
    const offset = this.#epochFault?.firstOffset ?? -1
    const isExcused = offset >= batch.firstOffset && offset <= (batch.lastOffset ?? offset)
    if (isExcused) this.#epochFault = null
  }

  #readEpochs(): readonly EpochEntry[] {
    const path = this.#epochsPath
    const bytes = readFileStart(this.#options.fs, path, epochsBytesMax + 1)
    if (bytes === null) return []
    try {
      return LeaderEpochCache.decode(bytes, path).entries()
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      this.#epochFault = this.#epochFinding('leader-epochs-corrupt', reasonOf(error), null)
      return []
    }
  }

  get #epochsPath(): string {
    return `${this.#options.facts.directory}/${leaderEpochCheckpointFileName}`
  }

  /** The batch's epoch is the one that the checkpoint has for its offset. */
  #checkEpoch(batch: Batch): void {
    const { logStartOffset, isClosedByUs } = this.#options.facts
    if (this.#epochs.length === 0 || this.#epochFault !== null) return
    if (batch.nextOffset <= (logStartOffset ?? 0)) return
    const isOld = batch.magic !== 2
    if (isOld) this.#hasOldFormats = true
    else if (!hasOwnEpoch(batch) || this.lostEpochOf(batch) !== null) return
    const offset = Math.max(isOld ? batch.lastOffset : batch.baseOffset, logStartOffset ?? 0)
    for (;;) {
      const next = this.#epochs[this.#epoch + 1]
      if (next === undefined || next.startOffset > offset) break
      this.#epoch += 1
    }
    const current = this.#epochs[this.#epoch]
    const known = current !== undefined && current.startOffset <= offset ? current.epoch : -1
    if (known === batch.leaderEpoch) return
    // Kafka's DeleteRecords drops epochs at once and checkpoints the log start later, if at all:
    // nothing is said of batches before the first epoch, unless Varve had the log since and has
    // completed its epochs. Where the old formats come first it has not.
    if (known === -1 && this.#hasOldFormats) return
    if (known === -1) this.#hasDroppedEpochs = true
    if (known === -1 && !isClosedByUs) return
    const epochs = `epoch ${batch.leaderEpoch}, not ${known}`
    const message = `the batch at offset ${batch.baseOffset} has ${epochs}`
    this.#epochFault = this.#epochFinding('leader-epochs-mismatch', message, batch.baseOffset)
  }

  #epochFinding(
    code: 'leader-epochs-corrupt' | 'leader-epochs-mismatch',
    message: string,
    offset: Offset | null,
  ): Finding {
    const place = { path: this.#epochsPath, firstOffset: offset, lastOffset: offset, message }
    // Written durably before the first batch of an epoch, so it is right after a crash too.
    return finding({ severity: 'error', code, ...place })
  }

  #loadFirstSnapshot(): boolean {
    const offset = this.#nextOffset
    if (!this.#snapshots.includes(offset)) return false
    const entries = this.#decodeSnapshot(offset)
    if (entries !== null) this.#producers.load(entries, offset)
    while ((this.#snapshots.at(-1) ?? Number.POSITIVE_INFINITY) <= offset) this.#snapshots.pop()
    return entries !== null
  }

  /** Compares the snapshots up to an offset with the state before the batch that begins there. */
  #passSnapshots(offset: Offset): void {
    for (;;) {
      const next = this.#snapshots.at(-1)
      if (next === undefined || next > offset) return
      this.#snapshots.pop()
      const entries = this.#decodeSnapshot(next)
      if (entries === null) continue
      if (!this.#isExact) {
        // What was not seen before the snapshot does not matter any more.
        this.#producers.load(entries, next)
        this.#isExact = next === offset
        continue
      }
      if (next < offset) continue
      const message = this.#differenceFrom(entries)
      if (message !== null) this.#reportSnapshot('producer-snapshot-mismatch', next, message)
    }
  }

  #decodeSnapshot(offset: Offset): readonly ProducerStateInfo[] | null {
    const path = this.#snapshotPath(offset)
    const bytes = readFileStart(this.#options.fs, path, snapshotBytesMax + 1)
    if (bytes === null) return null
    try {
      return decodeProducerSnapshot(bytes, path)
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      this.#reportSnapshot('producer-snapshot-corrupt', offset, reasonOf(error))
      return null
    }
  }

  /**
   * How a snapshot differs from the state here; producers that it has forgotten may have expired.
   */
  #differenceFrom(entries: readonly ProducerStateInfo[]): string | null {
    for (const entry of entries) {
      const known = this.#producers.producer(entry.producerId)
      const field = known === null ? 'existence' : differingField(entry, known)
      if (field !== null)
        return `the ${field} of producer ${entry.producerId} is not what the log says`
    }
    const ids = new Set(entries.map(({ producerId }) => producerId))
    const lost = this.#producers
      .ongoingTransactions()
      .find(({ producerId }) => !ids.has(producerId))
    return lost === undefined
      ? null
      : `it lacks the open transaction of producer ${lost.producerId}`
  }

  #reportSnapshot(
    code: 'producer-snapshot-corrupt' | 'producer-snapshot-mismatch',
    offset: Offset,
    message: string,
  ): void {
    const { severityAt, report } = this.#options
    const place = { path: this.#snapshotPath(offset), firstOffset: offset, message }
    const severity = severityAt(offset)
    if (severity !== null) report(finding({ severity, code, ...place }))
  }

  #snapshotPath(offset: Offset): string {
    return `${this.#options.facts.directory}/${producerSnapshotFileName(offset)}`
  }
}

function differingField(a: ProducerStateInfo, b: ProducerStateInfo): string | null {
  if (a.epoch !== b.epoch) return 'epoch'
  if (a.coordinatorEpoch !== b.coordinatorEpoch) return 'coordinator epoch'
  if (a.lastTimestamp !== b.lastTimestamp) return 'timestamp'
  if (a.currentTransactionFirstOffset !== b.currentTransactionFirstOffset) return 'transaction'
  const batchA = a.batches.at(-1)
  const batchB = b.batches.at(-1)
  const isSame =
    batchA?.lastSequence === batchB?.lastSequence &&
    batchA?.lastOffset === batchB?.lastOffset &&
    batchA?.firstOffset === batchB?.firstOffset
  return isSame ? null : 'last batch'
}
