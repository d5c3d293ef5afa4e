import { strict as assert } from 'node:assert'
import type { Offset, Timestamp } from '@varve/record'
import type { SegmentInfo } from '../base/segment-info.ts'
import type { ActiveSegment } from './active-segment.ts'
import type { SealedSegment } from './sealed-segment.ts'
import { TimestampPeaks } from './timestamp-peaks.ts'

/** The segments of a log: sealed ones in order of their base offsets, and the active one, last. */
export class LogSegments {
  readonly #sealed: SealedSegment[]
  /** Of the sealed segments; made when a timestamp is looked for. */
  #peaks: TimestampPeaks | null = null
  #active: ActiveSegment

  constructor(sealed: readonly SealedSegment[], active: ActiveSegment) {
    this.#sealed = [...sealed]
    this.#active = active
    this.#assertOrder()
  }

  get sealed(): readonly SealedSegment[] {
    return this.#sealed
  }

  get active(): ActiveSegment {
    return this.#active
  }

  get first(): SealedSegment | ActiveSegment {
    return this.#sealed[0] ?? this.#active
  }

  /** The segment with the largest base offset that is at most `offset`; null before the first. */
  floor(offset: Offset): SealedSegment | ActiveSegment | null {
    if (offset >= this.#active.baseOffset) return this.#active
    return this.#sealed[this.#countTo(offset) - 1] ?? null
  }

  /** The first segment whose base offset is larger than `offset`; null after the last. */
  higher(offset: Offset): SealedSegment | ActiveSegment | null {
    if (offset >= this.#active.baseOffset) return null
    return this.#sealed[this.#countTo(offset)] ?? this.#active
  }

  /**
   * The first segment whose largest timestamp is at least this one, or else the active one. Rejects
   * with what reading a segment's digest throws.
   */
  async reaching(timestamp: Timestamp): Promise<SealedSegment | ActiveSegment> {
    this.#peaks ??= new TimestampPeaks()
    const sealed = {
      count: () => this.#sealed.length,
      maxTimestampOf: (index: number) => this.#sealed[index]?.maxTimestamp ?? -1,
    }
    const index = await this.#peaks.find(sealed, timestamp)
    return this.#sealed[index] ?? this.#active
  }

  /** The active segment has been sealed; a new one follows it. */
  roll(sealed: SealedSegment, active: ActiveSegment): void {
    assert(sealed.baseOffset === this.#active.baseOffset, 'the active segment is sealed')
    assert(active.baseOffset >= sealed.nextOffset, 'the active segment is the last one')
    this.#sealed.push(sealed)
    this.#active = active
  }

  /** An empty active segment gives way to one with another base offset. */
  replaceActive(active: ActiveSegment): void {
    assert(this.#active.sizeBytes === 0, 'only an empty active segment is replaced')
    this.#active = active
    this.#assertOrder()
  }

  /** Takes the sealed segments that lie wholly before `offset` out and returns them. */
  removeBefore(offset: Offset): readonly SealedSegment[] {
    let count = 0
    for (const segment of this.#sealed) {
      if (segment.nextOffset > offset) break
      count++
    }
    if (count > 0) this.#peaks?.keep(0)
    const removed = this.#sealed.splice(0, count)
    for (const segment of removed) segment.release()
    return removed
  }

  /** Puts `added` in the place of `replaced`, which are neighbours. */
  replace(replaced: readonly SealedSegment[], added: readonly SealedSegment[]): void {
    const [first] = replaced
    assert(first !== undefined, 'something is replaced')
    const index = this.#sealed.indexOf(first)
    assert(index >= 0, 'what is replaced is in the log')
    this.#peaks?.keep(index)
    this.#sealed.splice(index, replaced.length, ...added)
    for (const segment of replaced) segment.release()
    this.#assertOrder()
  }

  /** Lets go of what is in memory of indexes. */
  release(): void {
    for (const segment of this.#sealed) segment.release()
  }

  infos(): readonly SegmentInfo[] {
    return [...this.#sealed.map((segment) => segment.info()), this.#active.info()]
  }

  get sizeBytes(): number {
    return this.#sealed.reduce((sum, segment) => sum + segment.sizeBytes, this.#active.sizeBytes)
  }

  /** How many sealed segments have a base offset of at most `offset`. */
  #countTo(offset: Offset): number {
    let low = 0
    let high = this.#sealed.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const segment = this.#sealed[middle]
      if (segment !== undefined && segment.baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  #assertOrder(): void {
    let end = 0
    for (const segment of this.#sealed) {
      assert(segment.baseOffset >= end, 'segments do not overlap')
      end = segment.nextOffset
    }
    assert(this.#active.baseOffset >= end, 'the active segment is the last one')
  }
}
