import { type Batch, crc32c, type Offset, type Timestamp, VarveError } from '@varve/record'
import {
  decodeSegmentDigest,
  type SegmentDigest,
  SpineDigest,
  segmentDigestBytesMax,
  spineBytesPerBatch,
} from '../format/segment-digest.ts'
import type { ListedSegment } from '../format/segment-listing.ts'
import { batchBytesMin } from '../segments/batch-finder.ts'
import { segmentPath } from '../segments/segment-files.ts'
import { activeDigestFileName } from '../storage/file-names.ts'
import { type File, type FileSystem, isSystemError, readFileStart } from '../storage/file-system.ts'
import { judgeDamage, leaderEpochField } from './damage-judgement.ts'
import { type Finding, type FindingDetails, finding, reasonOf, type Severity } from './finding.ts'
import { type IndexFault, OffsetIndexCheck, TimeIndexCheck } from './index-checks.ts'
import type { LogReplay } from './log-replay.ts'
import {
  type SegmentDamage,
  type SurveyEnd,
  type SurveyOptions,
  surveySegment,
} from './segment-survey.ts'
import { TransactionIndexCheck } from './transaction-index-check.ts'

/** What a segment's neighbours and the log's files say about it. */
export interface SegmentContext {
  readonly fs: FileSystem
  readonly directory: string
  readonly segment: ListedSegment
  /** Offsets that it may hold: from the end of the segment before to the start of the next. */
  readonly bounds: { readonly from: Offset; readonly to: Offset }
  /** Up to where its `.log` is read. */
  readonly sizeBytes: number
  /**
   * Whether its `.log` and all that is derived from it must be complete and right. Else opening the
   * log reads it again and makes the derived files anew.
   */
  readonly isSettled: boolean
  /** How bad it is when a derived file is wrong; null when it is nothing at all. */
  readonly severity: Severity | null
  /** Whether it is the last segment. */
  readonly isActive: boolean
  /** Whether records are still being appended, or were when the writer died. */
  readonly isOpenEnded: boolean
  /** Everything below is known to be flushed. */
  readonly recoveryPoint: Offset
  /** An offset at which a batch of it ended once; null when none is known. */
  readonly formerEnd: Offset | null
  /** Null when what came before is not known. */
  readonly replay: LogReplay | null
  readonly onProgress: (bytes: number) => void
}

export interface VerifiedSegment {
  readonly findings: readonly Finding[]
  /** What is wrong with its `.log`, in order. */
  readonly damages: readonly SegmentDamage[]
  readonly nextOffset: Offset
  readonly isCutShort: boolean
}

/** A finding that is none when its severity is null. */
type Graded = Omit<FindingDetails, 'severity'> & { readonly severity: Severity | null }

/** As much of it as a reader believes. */
const transactionIndexBytesMax = 64 * 2 ** 20

/** A segment with more findings than this is hopeless enough. */
const findingsMax = 1000

/** Reads a segment and everything derived from it, and compares them. */
export async function verifySegment(context: SegmentContext): Promise<VerifiedSegment> {
  return new SegmentVerification(context).run()
}

class SegmentVerification {
  readonly #context: SegmentContext
  readonly #findings: Finding[] = []
  #omitted = 0
  /** As the survey found it. */
  readonly #found: SegmentDamage[] = []
  /** As it was judged. */
  #damages: readonly SegmentDamage[] = []
  /** Batches whose epoch the checkpoint does not know; the digest tells which of them is right. */
  readonly #strangeEpochs: SegmentDamage[] = []
  readonly #digest: SegmentDigest | null
  readonly #spine: SpineDigest = new SpineDigest()
  /** The spine where the digest was made, when the segment has grown since. */
  #spineAtDigest: number | null = null
  #maxTimestamp: Timestamp = -1
  #offsetIndex: OffsetIndexCheck | null = null
  #timeIndex: TimeIndexCheck | null = null
  #transactionIndex: TransactionIndexCheck | null = null
  /** Whether the replay has been exact in all of this segment: a snapshot can make it so again. */
  #isExact = true

  constructor(context: SegmentContext) {
    this.#context = context
    this.#digest = this.#readDigest()
  }

  async run(): Promise<VerifiedSegment> {
    const { fs, segment } = this.#context
    const opened: File[] = []
    const open = (path: string): File | null => {
      try {
        const file = fs.open(path, 'read')
        opened.push(file)
        return file
      } catch (error) {
        if (isSystemError(error, 'ENOENT')) return null
        throw error
      }
    }
    try {
      const log = open(segment.path)
      const { from } = this.#context.bounds
      if (log === null) return { findings: [], damages: [], nextOffset: from, isCutShort: true }
      this.#openIndexes(open)
      const end = await this.#survey(log)
      await this.#judge(log, end)
      const { nextOffset, isCutShort } = end
      const damages = this.#damages
      return { findings: this.#allFindings(), damages, nextOffset, isCutShort }
    } finally {
      for (const file of opened) file.close()
    }
  }

  #openIndexes(open: (path: string) => File | null): void {
    const { directory, segment } = this.#context
    const { baseOffset } = segment
    const isStrict = this.#isSealedByUs
    const offsetFile = open(segmentPath(directory, baseOffset, 'index'))
    const timeFile = open(segmentPath(directory, baseOffset, 'timeindex'))
    const transactionFile = open(segmentPath(directory, baseOffset, 'txnindex'))
    if (offsetFile !== null) {
      this.#offsetIndex = new OffsetIndexCheck(offsetFile, baseOffset, isStrict)
    }
    if (timeFile !== null) this.#timeIndex = new TimeIndexCheck(timeFile, baseOffset, isStrict)
    this.#transactionIndex = new TransactionIndexCheck(transactionFile, baseOffset)
  }

  /** With a digest of the whole segment the indexes are ours too, and exact. */
  get #isSealedByUs(): boolean {
    return this.#digest !== null && this.#digest.sizeBytes === this.#context.sizeBytes
  }

  get #surveyOptions(): SurveyOptions {
    const { bounds, segment, sizeBytes } = this.#context
    // The digest says where the segment's content ends, which may be before the next one begins.
    const end = this.#isSealedByUs ? this.#digest?.nextOffset : undefined
    const to = Math.min(bounds.to, end ?? bounds.to)
    const { baseOffset } = segment
    // A cleaned segment always has a digest; without one nothing can have gone from the last.
    const formerEnd = this.#digest === null ? this.#context.formerEnd : null
    return { bounds: { ...bounds, to }, baseOffset, sizeBytes, formerEnd }
  }

  #survey(log: File): Promise<SurveyEnd> {
    const { replay } = this.#context
    return surveySegment(log, this.#surveyOptions, {
      header: (bytes, position) => {
        if (position === this.#digest?.sizeBytes) this.#spineAtDigest = this.#spine.value
        this.#spine.add(bytes)
      },
      batch: (batch) => {
        this.#addBatch(batch)
        this.#context.onProgress(batch.sizeBytes)
      },
      damage: (damage) => {
        replay?.spoil()
        this.#found.push(damage)
        this.#context.onProgress(damage.sizeBytes)
      },
      unchecked: (batch, error) => this.#addUnchecked(batch, error),
    })
  }

  #addBatch(batch: Batch): void {
    const { replay } = this.#context
    if (batch.maxTimestamp > this.#maxTimestamp) this.#maxTimestamp = batch.maxTimestamp
    this.#offsetIndex?.batch(batch.position, batch.lastOffset)
    this.#timeIndex?.batch(batch)
    if (replay === null) return
    const epoch = replay.lostEpochOf(batch)
    if (epoch !== null && this.#strangeEpochs.length < findingsMax) {
      this.#addAlteredEpoch(batch, epoch)
    }
    const completed = replay.add(batch)
    this.#isExact &&= replay.isExact
    if (completed?.isAborted === true) this.#transactionIndex?.aborted(completed, this.#isExact)
  }

  /** An epoch that the log never had: the header was changed where no checksum covers it. */
  #addAlteredEpoch(batch: Batch, epoch: number): void {
    const { position, sizeBytes, lastOffset } = batch
    const restored = Buffer.from(batch.bytes.subarray(0, spineBytesPerBatch))
    restored.writeInt32BE(epoch, leaderEpochField)
    const reason = `its leader epoch is ${batch.leaderEpoch}, which the log never had`
    const place = { position, sizeBytes, firstOffset: batch.baseOffset, lastOffset, reason }
    const what = { kind: 'altered', isFollowed: true, isStrangeEpoch: true } as const
    this.#strangeEpochs.push({ ...what, ...place, restored })
  }

  #addUnchecked(batch: Batch, error: VarveError): void {
    const { position, sizeBytes, lastOffset } = batch
    const firstOffset = batch.magic === 2 ? batch.baseOffset : null
    const message = `its records were not looked at: ${error.message}`
    this.#add({
      ...{ severity: 'warning', code: 'records-unchecked', path: this.#logPath },
      ...{ position, sizeBytes, firstOffset, lastOffset, message },
    })
  }

  /** Draws the conclusions when everything was read. */
  async #judge(log: File, end: SurveyEnd): Promise<void> {
    const { replay } = this.#context
    const { damages, rightEpochs } = await judgeDamage({
      log,
      options: this.#surveyOptions,
      digest: this.#comparableDigest(end),
      spine: this.#spineAtDigest ?? 0,
      damages: this.#found,
      strangeEpochs: this.#strangeEpochs,
      lostEpoch: (leaderEpoch, baseOffset) => replay?.lostEpoch(leaderEpoch, baseOffset) ?? null,
    })
    this.#damages = damages
    replay?.blameEpochs(rightEpochs)
    for (const damage of damages) {
      this.#addDamage(damage)
      if (damage.kind === 'altered') replay?.excuseEpoch(damage)
    }
    if (damages.length > 0) {
      replay?.spoil()
      return
    }
    this.#checkDigestNumbers(end)
    this.#finishIndexes()
  }

  /** The digest, when every header is known of what it covers. */
  #comparableDigest(end: SurveyEnd): SegmentDigest | null {
    const digest = this.#digest
    if (digest === null || !end.isChained || end.isCutShort) return null
    if (digest.sizeBytes === this.#context.sizeBytes) this.#spineAtDigest = this.#spine.value
    if (this.#spineAtDigest !== null) return digest
    this.#addWrongSize(digest)
    return null
  }

  #addWrongSize(digest: SegmentDigest): void {
    const { sizeBytes, severity } = this.#context
    const difference = `it has ${sizeBytes} bytes, ${digest.sizeBytes} when its digest was made`
    const message = `the segment is not the one that was sealed: ${difference}`
    this.#add({ severity, code: 'digest-mismatch', path: this.#logPath, sizeBytes, message })
  }

  #checkDigestNumbers(end: SurveyEnd): void {
    const digest = this.#digest
    const { sizeBytes, isSettled } = this.#context
    if (digest === null || end.isCutShort) return
    if (digest.sizeBytes < sizeBytes) {
      if (!isSettled) return
      const more = `${sizeBytes - digest.sizeBytes} bytes`
      const message = `${more} were appended after the digest was made; what it covers is as it was`
      // Kafka leaves it so, when it appends to a segment that Varve began.
      this.#add({ severity: 'note', code: 'digest-mismatch', path: this.#logPath, message })
      return
    }
    const isSame =
      digest.nextOffset === end.nextOffset &&
      digest.batches === this.#spine.batches &&
      digest.maxTimestamp === this.#maxTimestamp
    if (isSame || digest.sizeBytes !== sizeBytes) return
    const message = 'offsets, timestamps or the number of batches are not those of its digest'
    this.#add({
      severity: 'error',
      code: 'digest-mismatch',
      path: this.#logPath,
      sizeBytes,
      message,
    })
  }

  #finishIndexes(): void {
    const { severity, directory, segment, isSettled, replay } = this.#context
    this.#offsetIndex?.finish()
    this.#timeIndex?.finish()
    if (replay !== null) this.#transactionIndex?.finish(this.#isExact && replay.isExact)
    this.#checkTransactionIndexSum()
    const checks = [
      ['index', this.#offsetIndex],
      ['timeindex', this.#timeIndex],
      ['txnindex', this.#transactionIndex],
    ] as const
    for (const [kind, check] of checks) {
      const path = segmentPath(directory, segment.baseOffset, kind)
      if (check === null) this.#addMissing(path)
      else if (check.fault !== null) this.#addFault(path, check.fault)
    }
    if (!isSettled || this.#timeIndex === null || this.#timeIndex.isComplete) return
    if (this.#timeIndex.fault !== null) return
    const path = segmentPath(directory, segment.baseOffset, 'timeindex')
    const message = `it does not say that the segment's largest timestamp is ${this.#maxTimestamp}`
    const graded = this.#isSealedByUs ? severity : 'note'
    this.#add({ severity: graded, code: 'index-incomplete', path, message })
  }

  /** Where the log alone does not tell all that the index must say. */
  #checkTransactionIndexSum(): void {
    const { fs, directory, segment, severity } = this.#context
    if (!this.#isSealedByUs || this.#transactionIndex?.fault !== null) return
    const path = segmentPath(directory, segment.baseOffset, 'txnindex')
    const bytes = readFileStart(fs, path, transactionIndexBytesMax) ?? Buffer.alloc(0)
    if (crc32c(bytes) === this.#digest?.transactionIndexCrc32c) return
    const message = 'its checksum is not the one in the digest'
    this.#add({ severity, code: 'index-mismatch', path, sizeBytes: bytes.length, message })
  }

  #addMissing(path: string): void {
    const { isSettled, severity } = this.#context
    if (!isSettled || this.#spine.batches === 0) return
    const graded = this.#isSealedByUs ? severity : 'warning'
    this.#add({ severity: graded, code: 'index-missing', path, message: 'the file is missing' })
  }

  #addFault(path: string, fault: IndexFault): void {
    const { severity, isOpenEnded } = this.#context
    // The active segment's indexes are longer than what they hold, until it is closed.
    const graded = fault.code === 'index-padded' && isOpenEnded ? 'note' : severity
    this.#add({ severity: graded, path, ...fault })
  }

  #addDamage(damage: SegmentDamage): void {
    const { position, sizeBytes, firstOffset, lastOffset, reason, restored } = damage
    const place = { path: this.#logPath, position, sizeBytes, firstOffset, lastOffset }
    const mendable = restored === null ? '' : '; what was there before is known'
    this.#add({ ...this.#grade(damage), ...place, message: `${reason}${mendable}` })
  }

  #grade(damage: SegmentDamage): Pick<Finding, 'severity' | 'code'> {
    const { isOpenEnded, recoveryPoint, sizeBytes } = this.#context
    if (damage.restored !== null) return { severity: 'error', code: 'header-altered' }
    if (damage.kind === 'misplaced') return { severity: 'error', code: 'batch-misplaced' }
    if (damage.kind === 'records') return { severity: 'error', code: 'records-corrupt' }
    if (damage.kind === 'altered') return { severity: 'error', code: 'header-altered' }
    const isTail = damage.position + damage.sizeBytes === sizeBytes && !damage.isFollowed
    if (!isTail) return { severity: 'error', code: 'batch-corrupt' }
    const isUnflushed = isOpenEnded && damage.firstOffset >= recoveryPoint
    const isZeros = damage.kind === 'zeros'
    if (isUnflushed && isZeros) return { severity: 'note', code: 'preallocated' }
    if (isUnflushed) return { severity: 'warning', code: 'torn-tail' }
    const isBatch = !isZeros && damage.sizeBytes >= batchBytesMin
    return { severity: 'error', code: isBatch ? 'batch-corrupt' : 'trailing-bytes' }
  }

  /**
   * The digest that covers most of the segment: that of its sealing, or, of the segment that was
   * active at a clean shutdown, that one. What a broker did to the segment since then does not make
   * the latter wrong, only useless.
   */
  #readDigest(): SegmentDigest | null {
    const { directory, segment, severity, sizeBytes } = this.#context
    const { baseOffset } = segment
    const sealed = this.#decodeDigest(segmentPath(directory, baseOffset, 'digest'), severity)
    const activePath = `${directory}/${activeDigestFileName(baseOffset)}`
    const graded = this.#context.isActive ? severity : null
    const active = this.#decodeDigest(activePath, graded)
    if (active === null || active.sizeBytes > sizeBytes) return sealed
    return sealed === null || active.sizeBytes > sealed.sizeBytes ? active : sealed
  }

  #decodeDigest(path: string, severity: Severity | null): SegmentDigest | null {
    const bytes = readFileStart(this.#context.fs, path, segmentDigestBytesMax + 1)
    if (bytes === null) return null
    try {
      return decodeSegmentDigest(bytes, path)
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      this.#add({ severity, code: 'digest-corrupt', path, message: reasonOf(error) })
      return null
    }
  }

  get #logPath(): string {
    return this.#context.segment.path
  }

  #add(details: Graded): void {
    const { severity } = details
    if (severity === null) return
    const found = finding({ ...details, severity })
    if (this.#findings.length < findingsMax) this.#findings.push(found)
    else this.#omitted += 1
  }

  #allFindings(): readonly Finding[] {
    if (this.#omitted === 0) return this.#findings
    const message = `${this.#omitted} more findings about this segment`
    const path = this.#logPath
    return [
      ...this.#findings,
      finding({ severity: 'error', code: 'findings-omitted', path, message }),
    ]
  }
}
