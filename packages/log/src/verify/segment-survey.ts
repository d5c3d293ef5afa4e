import {
  type Batch,
  batchPrefixBytes,
  batchSizeAt,
  CorruptBatchError,
  type FilePosition,
  type Offset,
  readBatchAt,
  VarveError,
} from '@varve/record'
import { writeInt64 } from '../base/int64.ts'
import { spineBytesPerBatch } from '../format/segment-digest.ts'
import {
  batchBytesMin,
  isBoundary,
  magicField,
  mendHeader,
  type OffsetBounds,
  resumeAfter,
  SearchBudget,
} from '../segments/batch-finder.ts'
import type { File } from '../storage/file-system.ts'
import { FileWindow } from '../storage/file-window.ts'

/** What is wrong with a stretch of a `.log` file. */
export interface SegmentDamage {
  /**
   * - `corrupt`: no valid batch stands there.
   * - `zeros`: likewise, and nothing but zeros from there to the end of the file.
   * - `records`: the batch has the right checksum, but its records cannot be read.
   * - `misplaced`: the batch is right in itself; its offsets do not fit where it stands.
   * - `altered`: header fields outside the checksum were changed.
   */
  readonly kind: 'corrupt' | 'zeros' | 'records' | 'misplaced' | 'altered'
  readonly position: FilePosition
  readonly sizeBytes: number
  /** The first offset that may be missing. */
  readonly firstOffset: Offset
  /** The last one; null when nothing valid follows that would tell. */
  readonly lastOffset: Offset | null
  readonly reason: string
  /** Whether a valid batch follows. */
  readonly isFollowed: boolean
  /** The first bytes of the batch as they must have been, where that is proved; else null. */
  readonly restored: Buffer | null
  /** Only the checkpoint of leader epochs says so, which does not know the batch's. */
  readonly isStrangeEpoch?: true
}

/** What a survey tells, in the order of the file; `damage` a little later than what follows it. */
export interface SurveyVisitor {
  /** A valid batch in its place, or mended. A view, good during the call. */
  batch?(batch: Batch): void
  /** The first bytes of a batch, also of one that is damaged behind them; restored where proved. */
  header?(bytes: Buffer, position: FilePosition): void
  damage(damage: SegmentDamage): void
  /** A batch with the right checksum whose records could not be looked at. */
  unchecked?(batch: Batch, error: VarveError): void
}

export interface SurveyOptions {
  /** Offsets that the segment may hold. */
  readonly bounds: OffsetBounds
  /** Where the segment's offsets count from. */
  readonly baseOffset: Offset
  /**
   * An offset at which the log once ended, and so a batch, that no compaction can have taken since;
   * null when none is known. @defaultValue null
   */
  readonly formerEnd?: Offset | null
  readonly sizeBytes: number
  /** Decode every record. @defaultValue true */
  readonly decodesRecords?: boolean
}

export interface SurveyEnd {
  readonly nextOffset: Offset
  readonly batches: number
  /**
   * Whether every byte belongs to a batch whose header is known: then the spine means something.
   */
  readonly isChained: boolean
  /** Whether the file became shorter while it was read. */
  readonly isCutShort: boolean
}

const relativeOffsetMax = 2 ** 31 - 1
const zeros = Buffer.alloc(64 * 1024)

/** A batch as far as its neighbours need know it. */
interface Neighbour {
  readonly position: FilePosition
  readonly sizeBytes: number
  readonly first: Offset
  /** How many offsets it takes. */
  readonly span: number
  /** The least offset that it could begin with. */
  readonly expected: Offset
  readonly header: Buffer
}

/** Damage of which it is not known yet what follows. */
interface OpenDamage extends Omit<SegmentDamage, 'isFollowed'> {
  /** Of a misplaced batch, to find out where it belongs. */
  readonly stranger: Neighbour | null
}

/** Why visiting stopped: more bytes are needed, or something is wrong. Both 0 and null: the end. */
interface Halt {
  readonly needed: number
  readonly reason: string | null
}

/**
 * Reads a `.log` file to its end, whatever is in it. Where a batch is damaged it goes on at the
 * next valid one, so that everything that can be read is visited and every byte is accounted for.
 * Damage is told apart by what proves it: a wrong checksum, neighbours that leave no room, a header
 * with which the checksum would be right.
 *
 * Memory stays in proportion to the largest batch.
 */
export function surveySegment(
  file: File,
  options: SurveyOptions,
  visitor: SurveyVisitor,
): Promise<SurveyEnd> {
  return new SegmentSurvey(file, options, visitor).run()
}

class SegmentSurvey {
  readonly #window: FileWindow
  readonly #options: SurveyOptions
  readonly #visitor: SurveyVisitor
  readonly #budget: SearchBudget
  #position: FilePosition = 0
  #expected: Offset
  #batches = 0
  #isChained = true
  #previous: Neighbour | null = null
  #open: OpenDamage[] = []

  constructor(file: File, options: SurveyOptions, visitor: SurveyVisitor) {
    this.#window = new FileWindow(file, options.sizeBytes)
    this.#options = options
    this.#visitor = visitor
    this.#budget = new SearchBudget(options.sizeBytes)
    this.#expected = options.bounds.from
  }

  async run(): Promise<SurveyEnd> {
    const window = this.#window
    let isCutShort = false
    for (;;) {
      const { needed, reason } = this.#visitLoaded()
      if (needed === 0 && reason === null) break
      const left = window.end - this.#position
      if (reason !== null) {
        await this.#passDamage(reason)
      } else if (needed > left) {
        await this.#passDamage(`a batch of ${needed} bytes or more, ${left} are there`)
      } else if (!(await window.load(this.#position, needed))) {
        isCutShort = true
        break
      }
    }
    this.#closeDamage(null)
    const isChained = this.#isChained
    return { nextOffset: this.#expected, batches: this.#batches, isChained, isCutShort }
  }

  /** Visits the batches that lie wholly in memory. */
  #visitLoaded(): Halt {
    const window = this.#window
    try {
      while (this.#position < window.end) {
        if (!window.holds(this.#position, 0)) return { needed: batchPrefixBytes, reason: null }
        const at = this.#position - window.start
        const size = batchSizeAt(window.bytes, at, window.filled, this.#position)
        if (size === null || at + size > window.filled) {
          return { needed: size ?? batchPrefixBytes, reason: null }
        }
        const batch = readBatchAt(window.bytes, at, window.filled, this.#position)
        if (batch === null) return { needed: size, reason: null }
        const problem = this.#problemOf(batch)
        if (problem !== null && !batch.isChecksumValid()) return { needed: size, reason: problem }
        this.#visit(batch, problem)
        this.#position += size
      }
      return { needed: 0, reason: null }
    } catch (error) {
      return { needed: 0, reason: reasonOf(error) }
    }
  }

  /** A batch with the right checksum. */
  #visit(batch: Batch, problem: string | null): void {
    this.#visitor.header?.(batch.bytes, batch.position)
    if (problem === null) {
      this.#place(batch)
      return
    }
    const { position, sizeBytes, lastOffset } = batch
    const first = batch.magic === 2 ? batch.baseOffset : this.#expected
    const damage = { position, sizeBytes, firstOffset: first, lastOffset, reason: problem }
    this.#open.push({ kind: 'records', ...damage, restored: null, stranger: null })
    // As far as offsets go it is a batch like any other.
    const isInPlace = first >= this.#expected && batch.nextOffset <= this.#options.bounds.to
    if (isInPlace) this.#expected = batch.nextOffset
  }

  /** What is wrong with a batch or its records; null also when they could not be looked at. */
  #problemOf(batch: Batch): string | null {
    try {
      batch.validate()
      if (this.#options.decodesRecords === false) return null
      for (const _ of batch.records()) {
        // Decoding is the check.
      }
      return null
    } catch (error) {
      if (error instanceof CorruptBatchError) return error.reason
      if (!(error instanceof VarveError)) throw error
      this.#visitor.unchecked?.(batch, error)
      return null
    }
  }

  /** Tells whether the batch, the one before it, or neither of them is out of place. */
  #place(batch: Batch): void {
    const { bounds, baseOffset, formerEnd } = this.#options
    // The base offset of a compressed batch of the old formats is inside; its last offset is not.
    const first = batch.magic === 2 ? batch.baseOffset : batch.lastOffset
    const { position, sizeBytes, lastOffset } = batch
    const span = lastOffset - first + 1
    const header = Buffer.from(batch.bytes.subarray(0, spineBytesPerBatch))
    const asNeighbour = (expected: Offset): Neighbour => {
      return { position, sizeBytes, first, span, expected, header }
    }
    const previous = this.#previous
    const end = formerEnd ?? Number.POSITIVE_INFINITY
    const isInBounds =
      !(this.#expected < end && first > end) &&
      first >= baseOffset &&
      batch.nextOffset <= bounds.to &&
      lastOffset - baseOffset <= relativeOffsetMax
    // It fits what came before the previous batch: then that one is the stranger.
    const fitsWithoutPrevious =
      previous !== null && first < this.#expected && first >= previous.expected + previous.span
    if (!isInBounds || (first < this.#expected && !fitsWithoutPrevious)) {
      this.#addStranger(asNeighbour(this.#expected))
      return
    }
    if (fitsWithoutPrevious) this.#addStranger(previous)
    const expected = fitsWithoutPrevious ? previous.expected + previous.span : this.#expected
    this.#closeDamage(first)
    this.#previous = asNeighbour(expected)
    this.#expected = batch.nextOffset
    this.#batches += 1
    this.#visitor.batch?.(batch)
  }

  #addStranger(stranger: Neighbour): void {
    const { position, sizeBytes, first, expected } = stranger
    const reason = `its first offset is ${first}, about ${expected} was expected`
    const damage = { position, sizeBytes, firstOffset: expected, lastOffset: null, reason }
    this.#open.push({ kind: 'misplaced', ...damage, restored: null, stranger })
  }

  /** Finds where to go on behind what cannot be read at the current position. */
  async #passDamage(reason: string): Promise<void> {
    const window = this.#window
    const position = this.#position
    const { to } = this.#options.bounds
    // Not from what is expected now: the batch before may be a stranger with too large an offset.
    const bounds = { from: this.#previous?.expected ?? this.#options.bounds.from, to }
    const size = await this.#claimedSize()
    if (size !== null && (await isBoundary(window, position + size, bounds))) {
      const mended = await mendHeader(window, position, position + size, bounds)
      if (mended === null) {
        await window.load(position, size)
        this.#visitor.header?.(window.view(position, spineBytesPerBatch), position)
        this.#addCorrupt('corrupt', position, size, reason)
      } else {
        this.#addMended(mended, 'its magic was changed')
      }
      this.#position = position + size
      return
    }
    if (await this.#isZeroToEnd()) {
      this.#isChained = false
      this.#addCorrupt('zeros', position, window.end - position, 'zeros to the end of the file')
      this.#position = window.end
      return
    }
    const resumption = await resumeAfter(window, position, bounds, this.#budget)
    this.#position = resumption.position
    if (resumption.mended !== null) {
      this.#addMended(resumption.mended, 'its size field was changed')
      return
    }
    this.#isChained = false
    this.#addCorrupt('corrupt', position, resumption.position - position, reason)
  }

  /** What the size field says, where the file is large enough for it. */
  async #claimedSize(): Promise<number | null> {
    const window = this.#window
    if (!(await window.load(this.#position, batchPrefixBytes))) return null
    try {
      const at = this.#position - window.start
      const size = batchSizeAt(window.bytes, at, window.filled, this.#position)
      const isThere = size !== null && (await window.load(this.#position, size))
      return isThere && size >= batchBytesMin ? size : null
    } catch (error) {
      reasonOf(error)
      return null
    }
  }

  async #isZeroToEnd(): Promise<boolean> {
    const window = this.#window
    const stepBytes = zeros.length
    for (let position = this.#position; position < window.end; position += stepBytes) {
      const length = Math.min(stepBytes, window.end - position)
      if (!(await window.load(position, length))) return false
      if (!window.view(position, length).equals(zeros.subarray(0, length))) return false
    }
    return true
  }

  #addCorrupt(
    kind: 'corrupt' | 'zeros',
    position: FilePosition,
    sizeBytes: number,
    reason: string,
  ): void {
    const damage = { position, sizeBytes, firstOffset: this.#expected, lastOffset: null, reason }
    this.#open.push({ kind, ...damage, restored: null, stranger: null })
  }

  #addMended(batch: Batch, reason: string): void {
    const { position, sizeBytes, lastOffset } = batch
    const firstOffset = batch.magic === 2 ? batch.baseOffset : this.#expected
    const restored = Buffer.from(batch.bytes.subarray(0, spineBytesPerBatch))
    const damage = { position, sizeBytes, firstOffset, lastOffset, reason, restored }
    this.#open.push({ kind: 'altered', ...damage, stranger: null })
    this.#visit(batch, this.#problemOf(batch))
  }

  /** A batch in its place begins at `next`, or the segment ends: what was open is known now. */
  #closeDamage(next: Offset | null): void {
    if (this.#open.length === 0) return
    const { to } = this.#options.bounds
    const end = next ?? (Number.isFinite(to) ? to : null)
    const open = this.#open
    this.#open = []
    for (const { stranger, ...damage } of open) {
      const lastOffset = damage.lastOffset ?? (end === null ? null : end - 1)
      const isAlone = open.length === 1 && stranger !== null && end !== null
      const restored = isAlone ? restoreOffset(stranger, end) : damage.restored
      this.#visitor.damage({ ...damage, lastOffset, isFollowed: next !== null, restored })
    }
  }
}

/** The header with the only offset that fits between the neighbours; null when several do. */
function restoreOffset(stranger: Neighbour, next: Offset): Buffer | null {
  const { header, expected, span } = stranger
  if (header[magicField] !== 2 || next - expected !== span) return null
  const restored = Buffer.from(header)
  writeInt64(restored, 0, expected)
  return restored
}

function reasonOf(error: unknown): string {
  if (error instanceof CorruptBatchError) return error.reason
  if (error instanceof VarveError) return error.message
  throw error
}
