import { type Offset, VarveError } from '@varve/record'
import { type Clock, systemClock } from '../base/clock.ts'
import { LogNotFoundError } from '../base/log-errors.ts'
import { pollTurn } from '../base/turns.ts'
import { readPartitionMetadata } from '../format/partition-metadata.ts'
import { type ListedSegment, listSegments } from '../format/segment-listing.ts'
import { segmentPath } from '../segments/segment-files.ts'
import { readDigest } from '../segments/segment-restore.ts'
import {
  logStartOffsetCheckpointFileName,
  partitionMetadataFileName,
} from '../storage/file-names.ts'
import { type FileSystem, isSystemError } from '../storage/file-system.ts'
import { nodeFileSystem } from '../storage/node-file-system.ts'
import { type Finding, finding, reasonOf, type Severity } from './finding.ts'
import { type LogFacts, readLogFacts } from './log-facts.ts'
import { LogReplay } from './log-replay.ts'
import type { SegmentDamage } from './segment-survey.ts'
import { findLeftovers } from './verify-leftovers.ts'
import { type VerifiedSegment, verifySegment } from './verify-segment.ts'

/** How a log is verified. */
export interface VerifyLogOptions {
  /** @defaultValue the real file system */
  readonly fs?: FileSystem
  /** @defaultValue the system's clock */
  readonly clock?: Clock
  /**
   * How long to wait, when the end of a log that was not closed looks damaged, to see whether
   * somebody is still writing it. @defaultValue 100
   */
  readonly settleMs?: number
  /** Read only the segment with this base offset. @defaultValue all segments */
  readonly only?: Offset
  /** Told as reading goes on. @defaultValue nothing */
  readonly onProgress?: (progress: VerifyProgress) => void
}

/** How far verifying has come. */
export interface VerifyProgress {
  /** The `.log` that is being read. */
  readonly path: string
  /** Bytes of it that were read since the last call. */
  readonly bytes: number
}

/** Looks again at a segment that changed while it was read, at most so often. */
const triesMax = 4

/**
 * Checks a log for everything that can be wrong with it, and yields what it finds, segment by
 * segment; nothing for a log that is right. Reads every byte of every segment: checksums, structure
 * and records of all batches, their offsets, and all files that are derived from them. Works on
 * Varve's and Kafka's partition directories alike.
 *
 * Takes no lock and writes nothing. The log may be open, here or in another process: what is being
 * appended, deleted or replaced meanwhile is not found fault with. Memory stays in proportion to
 * the largest batch.
 *
 * Throws LogNotFoundError when there is no such directory.
 */
export async function* verifyLog(
  directory: string,
  options: VerifyLogOptions = {},
): AsyncGenerator<Finding, void, undefined> {
  const fs = options.fs ?? nodeFileSystem
  if (fs.stat(directory)?.isDirectory !== true) {
    throw new LogNotFoundError(`${directory} is not a directory`)
  }
  const { facts, findings } = readLogFacts(fs, directory)
  yield* findings
  const verification = new LogVerification(facts, { ...options, fs })
  for (const segment of facts.segments) {
    if (options.only !== undefined && options.only !== segment.baseOffset) continue
    yield* (await verification.segment(segment)).findings
    // Small segments are read without waiting; a log of thousands must not stop the process.
    await pollTurn()
  }
  if (options.only === undefined) yield* verification.finish()
}

/** A log as verifying sees it: what repairing starts from. */
export interface InspectedLog {
  readonly facts: LogFacts
  readonly findings: readonly Finding[]
  readonly segments: readonly InspectedSegment[]
  /** Where the first leader epoch starts that the checkpoint has; null when it has none. */
  readonly firstEpochStart: Offset | null
  /** Whether batches with epochs come before that: a broker may leave it so, Varve never does. */
  readonly hasDroppedEpochs: boolean
}

export interface InspectedSegment {
  readonly listed: ListedSegment
  readonly damages: readonly SegmentDamage[]
  /** Where it ends, as far as it can be read. */
  readonly nextOffset: Offset
}

/** Everything that {@link verifyLog} finds, and the damage behind it. Nobody may be writing. */
export async function inspectLog(directory: string, fs: FileSystem): Promise<InspectedLog> {
  const { facts, findings } = readLogFacts(fs, directory)
  const verification = new LogVerification(facts, { fs, settleMs: 0 })
  const all = [...findings]
  const segments: InspectedSegment[] = []
  for (const listed of facts.segments) {
    const verified = await verification.segment(listed)
    all.push(...verified.findings)
    segments.push({ listed, damages: verified.damages, nextOffset: verified.nextOffset })
  }
  all.push(...verification.finish())
  const { firstEpochStart, hasDroppedEpochs } = verification
  return { facts, findings: all, segments, firstEpochStart, hasDroppedEpochs }
}

class LogVerification {
  readonly #facts: LogFacts
  readonly #fs: FileSystem
  readonly #options: VerifyLogOptions
  readonly #replay: LogReplay
  readonly #last: ListedSegment | undefined
  #found: Finding[] = []
  #nextOffset: Offset

  constructor(facts: LogFacts, options: VerifyLogOptions & { readonly fs: FileSystem }) {
    this.#facts = facts
    this.#fs = options.fs
    this.#options = options
    this.#last = facts.segments.at(-1)
    this.#nextOffset = options.only ?? facts.segments[0]?.baseOffset ?? facts.logStartOffset ?? 0
    this.#replay = new LogReplay({
      fs: options.fs,
      facts,
      severityAt: (offset) => this.#severity(offset <= (this.#last?.baseOffset ?? 0), offset),
      report: (found) => this.#found.push(found),
    })
    if (options.only !== undefined) this.#replay.spoil()
  }

  get firstEpochStart(): Offset | null {
    return this.#replay.firstEpochStart
  }

  get hasDroppedEpochs(): boolean {
    return this.#replay.hasDroppedEpochs
  }

  /** Everything about one segment. */
  async segment(segment: ListedSegment): Promise<VerifiedSegment> {
    this.#checkGap(segment)
    let verified: VerifiedSegment = vanished(this.#nextOffset)
    try {
      verified = await this.#verifyUnlessChanging(segment)
      this.#found.push(...verified.findings)
      this.#nextOffset = Math.max(this.#nextOffset, verified.nextOffset)
      if (verified.isCutShort) this.#passOver(segment)
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error
      const { path } = segment
      const message = error.message
      this.#replay.spoil()
      this.#found.push(finding({ severity: 'error', code: 'unreadable', path, message }))
    }
    return { ...verified, findings: this.#take() }
  }

  /** What can only be told when everything was read. */
  finish(): readonly Finding[] {
    this.#replay.finish(this.#nextOffset)
    this.#checkEnds()
    this.#checkMetadata()
    this.#found.push(...findLeftovers(this.#fs, this.#facts))
    return this.#take()
  }

  /** A segment that went while the log was read: of what it held nothing is known. */
  #passOver(segment: ListedSegment): void {
    this.#replay.spoil()
    const next = this.#listedNextBaseOffset(segment)
    this.#nextOffset = Math.max(this.#nextOffset, next ?? this.#facts.recoveryPoint)
  }

  #take(): readonly Finding[] {
    const found = this.#found
    this.#found = []
    return found
  }

  /** How bad a wrong derived file is; null when opening makes it anew without having looked. */
  #severity(isSealed: boolean, endOffset: Offset): Severity | null {
    if (this.#isSettled(isSealed, endOffset)) return 'error'
    if (this.#facts.progress !== null) return null
    return isSealed ? 'warning' : 'note'
  }

  /** Whether what lies below an offset is complete, with all that is derived from it. */
  #isSettled(isSealed: boolean, endOffset: Offset): boolean {
    const { isClean, recoveryPoint, dataDirectory, progress } = this.#facts
    if (isClean) return true
    // Without a data directory nothing tells; only the active segment can be unfinished.
    if (dataDirectory === null && progress === null) return isSealed
    if (!isSealed || endOffset > recoveryPoint) return false
    // A crash between flushing and sealing leaves such a segment: opening seals it.
    return endOffset < recoveryPoint || progress === null || this.#hasDigest(endOffset)
  }

  /** Whether the recovery point is one at which Varve saw the log end. */
  get #isOurOwnEnd(): boolean {
    return this.#facts.isOurs && this.#facts.recoveryPoint > 0
  }

  /** Whether the segment that ends at an offset has been sealed. */
  #hasDigest(endOffset: Offset): boolean {
    const { directory, segments } = this.#facts
    const segment = segments.findLast(({ baseOffset }) => baseOffset < endOffset)
    if (segment === undefined) return false
    const path = segmentPath(directory, segment.baseOffset, 'digest')
    return readDigest(this.#fs, path)?.sizeBytes === segment.sizeBytes
  }

  async #verifyUnlessChanging(segment: ListedSegment): Promise<VerifiedSegment> {
    let verified: VerifiedSegment | null = null
    let tornAt = -1
    for (let tries = 1; ; tries += 1) {
      const before = this.#fs.stat(segment.path)
      if (before === null) return vanished(this.#nextOffset)
      verified = await this.#verifyOnce(segment, before.sizeBytes, tries === 1)
      const worst = verified.findings.find(({ severity }) => severity !== 'note')
      if (worst === undefined && !verified.isCutShort) return verified
      if (this.#facts.isClean || tries === triesMax) return verified
      await this.#pause()
      const after = this.#fs.stat(segment.path)
      const isSame = after?.sizeBytes === before.sizeBytes && after.modifiedMs === before.modifiedMs
      if (isSame && this.#nextBaseOffset(segment) === this.#listedNextBaseOffset(segment)) {
        return verified
      }
      const torn = verified.findings.find(({ code }) => code === 'torn-tail')
      // The end was being written: it is somewhere else every time one looks.
      if (torn !== undefined && tornAt >= 0 && torn.position > tornAt) return withoutTail(verified)
      tornAt = torn?.position ?? tornAt
      this.#replay.spoil()
    }
  }

  #verifyOnce(
    segment: ListedSegment,
    sizeBytes: number,
    isFirstTry: boolean,
  ): Promise<VerifiedSegment> {
    const { directory, isClean, recoveryPoint } = this.#facts
    const nextBaseOffset = isFirstTry
      ? this.#listedNextBaseOffset(segment)
      : this.#nextBaseOffset(segment)
    const isSealed = nextBaseOffset !== null
    const endOffset = nextBaseOffset ?? Number.POSITIVE_INFINITY
    return verifySegment({
      fs: this.#fs,
      directory,
      segment,
      bounds: { from: Math.max(segment.baseOffset, this.#nextOffset), to: endOffset },
      sizeBytes,
      isSettled: this.#isSettled(isSealed, endOffset),
      severity: this.#severity(isSealed, endOffset),
      isActive: !isSealed,
      isOpenEnded: !isSealed && !isClean,
      recoveryPoint,
      formerEnd: isSealed || !this.#isOurOwnEnd ? null : recoveryPoint,
      replay: isFirstTry ? this.#replay : null,
      onProgress: (bytes) => this.#options.onProgress?.({ path: segment.path, bytes }),
    })
  }

  #listedNextBaseOffset(segment: ListedSegment): Offset | null {
    return nextBaseOffset(this.#facts.segments, segment)
  }

  /** As the directory is now: compaction may have joined the segment with the next ones. */
  #nextBaseOffset(segment: ListedSegment): Offset | null {
    return nextBaseOffset(listSegments(this.#fs, this.#facts.directory), segment)
  }

  async #pause(): Promise<void> {
    const { clock = systemClock, settleMs = 100 } = this.#options
    if (settleMs === 0) return
    await new Promise<void>((resolve) => {
      clock.setTimer(settleMs, resolve, { keepsAlive: true })
    })
  }

  #checkGap(segment: ListedSegment): void {
    const { baseOffset, path } = segment
    if (baseOffset <= this.#nextOffset) return
    const { progress, recoveryPoint, isClean } = this.#facts
    // Opening takes such a gap for a lost write, and ends the log before it.
    const isLost = !isClean && progress !== null && this.#nextOffset >= recoveryPoint
    this.#found.push(
      finding({
        severity: isLost ? 'warning' : 'note',
        code: 'offset-gap',
        path,
        firstOffset: this.#nextOffset,
        lastOffset: baseOffset - 1,
        message: 'no segment holds these offsets; compaction and repair leave such gaps',
      }),
    )
  }

  #checkEnds(): void {
    const { recoveryPoint, logStartOffset, segments, directory, dataDirectory } = this.#facts
    const logEndOffset = this.#nextOffset
    if (logEndOffset < recoveryPoint) {
      const message = `the log ends at offset ${logEndOffset}, but was flushed up to ${recoveryPoint}`
      const path = this.#last?.path ?? directory
      const offsets = { firstOffset: logEndOffset, lastOffset: recoveryPoint - 1 }
      const position = this.#last?.sizeBytes ?? 0
      const place = { path, position, ...offsets, message }
      this.#found.push(finding({ severity: 'error', code: 'log-too-short', ...place }))
    }
    if (logStartOffset === null || dataDirectory === null || segments.length === 0) return
    const path = `${dataDirectory}/${logStartOffsetCheckpointFileName}`
    const reason = this.#logStartProblem(logStartOffset, logEndOffset)
    if (reason === null) return
    const message = `${this.#facts.name}: ${reason}`
    const place = { path, firstOffset: logStartOffset, message }
    this.#found.push(finding({ severity: 'warning', code: 'checkpoint-mismatch', ...place }))
  }

  #logStartProblem(logStartOffset: Offset, logEndOffset: Offset): string | null {
    if (logStartOffset > logEndOffset) {
      return `the log start offset ${logStartOffset} is beyond the log's end, ${logEndOffset}`
    }
    const epochStart = this.#replay.firstEpochStart
    // Raising the log start raises both, one after the other.
    if (!this.#facts.isClean || epochStart === null || epochStart >= logStartOffset) return null
    const first = `the first leader epoch starts at ${epochStart}`
    return `the log start offset is ${logStartOffset}, but ${first}`
  }

  #checkMetadata(): void {
    const { directory } = this.#facts
    try {
      readPartitionMetadata(this.#fs, directory)
    } catch (error) {
      if (!(error instanceof VarveError) && !isSystemError(error, 'EFBIG')) throw error
      const message = error instanceof VarveError ? reasonOf(error) : (error as Error).message
      const path = `${directory}/${partitionMetadataFileName}`
      const code = 'partition-metadata-corrupt'
      this.#found.push(finding({ severity: 'error', code, path, message }))
    }
  }
}

function nextBaseOffset(segments: readonly ListedSegment[], segment: ListedSegment): Offset | null {
  return segments.find(({ baseOffset }) => baseOffset > segment.baseOffset)?.baseOffset ?? null
}

/** A segment that was deleted, or joined with another by compaction, since it was listed. */
function vanished(nextOffset: Offset): VerifiedSegment {
  return { findings: [], damages: [], nextOffset, isCutShort: true }
}

function withoutTail(verified: VerifiedSegment): VerifiedSegment {
  return { ...verified, findings: verified.findings.filter(({ code }) => code !== 'torn-tail') }
}
