import type { Offset } from '@varve/record'
import type { LogState } from './append/log-state.ts'
import type { SegmentInfo } from './base/segment-info.ts'

/**
 * A log at one moment: its segments, pinned, and how much of the active one belongs to it. The
 * files stay where they are until it is released.
 */
export class LogSnapshot implements Disposable {
  readonly logStartOffset: Offset
  /** The offset after the last record of the snapshot: the high watermark when it was made. */
  readonly endOffset: Offset
  /**
   * The sealed segments, and last the visible part of the active one, when it has any: its
   * `sizeBytes` is where the snapshot ends, and the file behind it may have grown.
   */
  readonly segments: readonly SegmentInfo[]
  readonly #pins: ReadonlyArray<{ release(): void }>

  /** @internal Made by `Log.snapshot`. */
  constructor(state: LogState) {
    const { sealed, active } = state.segments
    this.logStartOffset = state.offsets.logStartOffset
    this.endOffset = state.offsets.highWatermark
    this.#pins = [...sealed, active].map((segment) => state.pins.pin(segment.path))
    const infos: SegmentInfo[] = []
    for (const segment of [...sealed, active]) {
      const sizeBytes = state.visibleBytes(segment)
      if (sizeBytes === 0 && (segment === active || segment.sizeBytes > 0)) continue
      const nextOffset = Math.min(segment.nextOffset, this.endOffset)
      infos.push({
        ...segment.info(),
        sizeBytes,
        nextOffset: Math.max(nextOffset, segment.baseOffset),
      })
    }
    this.segments = infos
  }

  /** Lets the files go. Idempotent. */
  release(): void {
    for (const pin of this.#pins) pin.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
